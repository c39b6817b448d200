using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Datasets;
using FeedbackLoop.Lineage;
using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Cli.Commands.Lineage;

/// <param name="IsDryRun">
/// Nothing was changed; <paramref name="Lineage"/> is what a forgetting would go through.
/// </param>
/// <param name="IsComplete">No stored file holds the document.</param>
/// <param name="WaitsFor">What keeps it from being complete, for people.</param>
/// <param name="Lineage">As it was before; models as they are now.</param>
internal sealed record ForgetDocumentResult(
    Guid DocumentId, bool IsDryRun, bool IsComplete, int RewrittenDatasets, string? WaitsFor, LineageAnswer Lineage);

/// <summary>Takes a document out of all that is kept of it.</summary>
internal sealed class ForgetDocumentCommand : OperatorCommand
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time;
    private readonly Argument<Guid> _document = IdOption.Argument("DOCUMENT", "The document, also one that is deleted.");

    private readonly Option<string?> _reason = TextOption.Create(
        "--reason", "Why; it stands in the audit log.", "TEXT", maxLength: 500);

    private readonly Option<bool> _dryRun = new("--dry-run")
    {
        Description = "Show what would be rewritten and marked, and change nothing.",
    };

    private readonly Option<bool> _wait = new("--wait")
    {
        Description = "Wait for trainings that read the document's examples, and end when it is forgotten.",
    };

    private readonly Option<string?> _files = new("--files")
    {
        Description = "Where datasets are kept. Without it, the bucket of GoogleCloud:Bucket.",
        HelpName = "DIR|gs://…",
    };

    public ForgetDocumentCommand(TimeProvider time)
        : base(
            "forget-document",
            "Takes a document out of every stored file, marks the models that have learnt from it as tainted, and keeps "
            + "it out of every later export. What the product keeps of it is not touched. Asks first on a terminal. Files "
            + "that a training reads wait for its end; the sweep goes on with them, or a repeat of this command.")
    {
        _time = time;
        Arguments.Add(_document);
        Options.Add(_reason);
        Options.Add(_dryRun);
        Options.Add(_wait);
        Options.Add(_files);
        Options.Add(Confirmation.YesOption);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop forget-document 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d14 --dry-run",
        "feedbackloop forget-document 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d14 --reason \"request 4711\" --yes --wait",
        "feedbackloop forget-document 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d14 --yes --json",
    ];

    public override IReadOnlyList<string> ExitCodes =>
        ["0 forgotten, 2 wrong usage, 3 refused, or it waits for something, 4 failed; a repeat goes on"];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var settings = OperatorSettings.Read(arguments);
        var id = arguments.GetRequiredValue(_document);
        var reader = settings.ReadLineage();
        await using var database = settings.OpenDatabase();
        var before = await ReadAsync(database, reader, id, cancellationToken);
        if (arguments.GetValue(_dryRun))
        {
            output.Result(
                new(id, IsDryRun: true, IsComplete: false, 0, before.Forgotten?.WaitsFor, before),
                CliJson.Default.ForgetDocumentResult, DryLines(before));
            return ExitCode.Done;
        }

        var store = OpenStore(arguments, settings);
        await Confirmation.AskAsync(
            arguments, output,
            $"Take document {id} out of {before.DatasetCount} datasets, and mark {before.ModelCount} models as tainted?",
            cancellationToken);
        var forgetting = new DocumentForgetting(database, store, new Failpoints(), _time);
        await forgetting.RecordAsync(
            id, new Scope(before.OrganizationId, before.ProjectId), Actor.Name,
            arguments.GetValue(_reason) ?? "no reason given", cancellationToken);
        var document = await GoOnAsync(forgetting, id, arguments.GetValue(_wait), output, cancellationToken);

        var after = await ReadAsync(database, reader, id, cancellationToken);
        output.Result(
            new(id, IsDryRun: false, document.IsComplete, document.Rewritten, document.WaitsFor, after),
            CliJson.Default.ForgetDocumentResult, Lines(document, after));
        return document.IsComplete ? ExitCode.Done : ExitCode.Refused;
    }

    private async Task<ForgottenDocument> GoOnAsync(
        DocumentForgetting forgetting, Guid id, bool waits, CommandOutput output, CancellationToken cancellationToken)
    {
        for (string? told = null; ;)
        {
            var document = await forgetting.ContinueAsync(id, cancellationToken);
            if (document.IsComplete || !waits)
            {
                return document;
            }

            if (document.WaitsFor is { } wait && wait != told)
            {
                output.Note($"Waits: {told = wait}");
            }

            await Task.Delay(LookAgain, _time, cancellationToken);
        }
    }

    private static async Task<LineageAnswer> ReadAsync(
        NpgsqlDataSource database, LineageReader reader, Guid id, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var subject = await db.FindLineageSubjectAsync(LineageSubjectKind.Document, id, cancellationToken)
            ?? throw CommandException.Refused($"there is no document {id}", "Check the id and --database.");
        return await reader.ReadAsync(
            db, subject, new ScopeFilter([subject.Scope.OrganizationId], [], []), limit: 20, cancellationToken);
    }

    private IDatasetStore OpenStore(ParseResult arguments, OperatorSettings settings)
    {
        var place = arguments.GetValue(_files) ?? $"gs://{settings.Require("GoogleCloud:Bucket")}";
        return BucketFolder.IsMeant(place) ? BucketFolder.Parse(place).Open(settings) : new DirectoryDatasetStore(place);
    }

    private static IEnumerable<string> DryLines(LineageAnswer before) =>
    [
        .. LineagePage.Lines(before),
        $"Would be rewritten: {before.DatasetCount} datasets. Would be tainted: {before.ModelCount} models.",
        "Nothing was changed.",
    ];

    private static IEnumerable<string> Lines(ForgottenDocument document, LineageAnswer after)
    {
        yield return document.IsComplete
            ? $"Document {document.DocumentId} is forgotten."
            : $"Document {document.DocumentId} is being forgotten.";
        yield return $"Rewritten datasets: {document.Rewritten}. Tainted models: {after.ModelCount}.";
        foreach (var line in LineagePage.Retraining(after))
        {
            yield return line;
        }

        if (document.WaitsFor is { } wait)
        {
            yield return $"Waits: {wait}.";
            yield return "The sweep goes on with it every five minutes, or repeat this command.";
        }
    }
}
