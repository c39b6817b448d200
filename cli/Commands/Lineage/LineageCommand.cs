using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Lineage;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Commands.Lineage;

/// <summary>Where a document, a chunk or an object went.</summary>
internal sealed class LineageCommand : OperatorCommand
{
    private readonly Option<Guid?> _document = IdOption.Create("--document", "The document, also one that is deleted.");
    private readonly Option<Guid?> _chunk = IdOption.Create("--chunk", "One chunk of a document.");

    private readonly Option<Guid?> _object = IdOption.Create(
        "--object", "A graph object: what the extraction that found it went into.");

    private readonly Option<int> _limit = LimitedOption.Create(
        "--limit", "How many datasets, and how many models, the latest first.", 20, 1, 1_000);

    public LineageCommand()
        : base(
            "lineage",
            "Shows where a document went: datasets with their files, runs, the models that have learnt from it or are "
            + "tuned on top of one that has, and whether they are in use. Names the cost of training again what is "
            + "tainted.")
    {
        Options.Add(_document);
        Options.Add(_chunk);
        Options.Add(_object);
        Options.Add(_limit);
        Validators.Add(result =>
        {
            if (((Option[])[_document, _chunk, _object]).Count(option => result.GetResult(option) is not null) != 1)
            {
                result.AddError($"Give one of {_document.Name}, {_chunk.Name} and {_object.Name}.");
            }
        });
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop lineage --document 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d14",
        "feedbackloop lineage --chunk 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d15 --json",
        "feedbackloop lineage --object 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d16 --limit 100",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var settings = OperatorSettings.Read(arguments);
        var (kind, id) = (arguments.GetValue(_document), arguments.GetValue(_chunk), arguments.GetValue(_object)) switch
        {
            ({ } document, _, _) => (LineageSubjectKind.Document, document),
            (_, { } chunk, _) => (LineageSubjectKind.Chunk, chunk),
            var (_, _, found) => (LineageSubjectKind.GraphObject, found!.Value), // one is given
        };
        var reader = settings.ReadLineage();
        await using var database = settings.OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var subject = await db.FindLineageSubjectAsync(kind, id, cancellationToken)
            ?? throw CommandException.Refused($"there is no {kind} {id}", "Check the id and --database.");
        var answer = await reader.ReadAsync(
            db, subject, new ScopeFilter([subject.Scope.OrganizationId], [], []), arguments.GetValue(_limit),
            cancellationToken);
        output.Result(answer, CliJson.Default.LineageAnswer, LineagePage.Lines(answer));
        return ExitCode.Done;
    }
}
