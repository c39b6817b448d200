using System.CommandLine;
using System.Globalization;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Knowledge.Import;

namespace FeedbackLoop.Cli.Commands;

/// <summary>The counts of <see cref="ImportReport"/>.</summary>
internal sealed record ImportResult(
    string Organization, Guid OrganizationId, long Lines, long Added, long Unchanged, long Different, long Broken,
    long Projects, long Documents, long Objects, long Relationships, long Reviewed, long AutoAccepted, long Pending,
    long Rejected, long NothingToFind, long ReplacedChunks, double Seconds, IReadOnlyList<LineProblem> BrokenLines,
    IReadOnlyList<LineProblem> DifferentLines);

/// <summary>Loads annotated chunks as verified extractions.</summary>
internal sealed class ImportCommand : OperatorCommand
{
    private static readonly ImportOptions Defaults = new();

    private readonly TimeProvider _time;

    private readonly Argument<string> _file = new("FILE")
    {
        Description =
            "One JSON object a line: project, documentId, chunkId, text, entities, relationships. - reads stdin.",
    };

    private readonly Option<string> _organization = new("--organization")
    {
        Description = "Name of the organization; created when there is none.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "Imported",
    };

    private readonly Option<double> _reviewedShare = LimitedOption.Create(
        "--reviewed-share", "Share of the chunks whose objects a person has reviewed.", Defaults.ReviewedShare, 0, 1);

    private readonly Option<double> _confidenceFrom = LimitedOption.Create(
        "--confidence-from", "Lowest confidence of what nobody has reviewed.", Defaults.ConfidenceFrom, 0, 1);

    private readonly Option<double> _rejectedShare = LimitedOption.Create(
        "--rejected-share", "Share of the reviewed objects that were turned down.", Defaults.RejectedShare, 0, 1);

    private readonly Option<long> _seed = new("--seed")
    {
        Description = "Decides which chunks are reviewed; the same seed decides alike everywhere.",
        HelpName = "NUMBER",
        DefaultValueFactory = _ => Defaults.Seed,
    };

    private readonly Option<bool> _annotated = new("--annotated")
    {
        Description =
            "The file is annotated completely: a line without entities says that its text holds none. A line's own member "
            + "annotated (true or false) comes first.",
    };

    public ImportCommand(TimeProvider time)
        : base(
            "import",
            "Loads annotated chunks as verified extractions. Importing a file again changes nothing. Lines that cannot "
            + "go in are reported, the others go in, and the exit code is 3.")
    {
        _time = time;
        Arguments.Add(_file);
        Options.Add(_organization);
        Options.Add(_reviewedShare);
        Options.Add(_confidenceFrom);
        Options.Add(_rejectedShare);
        Options.Add(_seed);
        Options.Add(_annotated);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop import extractions.jsonl --organization \"Halvorsund Group\"",
        "feedbackloop import annotated.jsonl --annotated --reviewed-share 1 --rejected-share 0 --json",
        "zcat extractions.jsonl.gz | feedbackloop import - --database postgres://app@localhost:5432/product",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var file = arguments.GetRequiredValue(_file);
        var organization = arguments.GetRequiredValue(_organization).Trim();
        if (organization is "")
        {
            throw CommandException.Usage("--organization is empty", "Name the organization, or leave the option out.");
        }

        var options = new ImportOptions
        {
            ReviewedShare = arguments.GetValue(_reviewedShare),
            ConfidenceFrom = arguments.GetValue(_confidenceFrom),
            RejectedShare = arguments.GetValue(_rejectedShare),
            Seed = arguments.GetValue(_seed),
            IsAnnotated = arguments.GetValue(_annotated),
        };
        await using var database = OperatorSettings.Read(arguments).OpenDatabase();
        await using var input = Open(file);
        var start = _time.GetTimestamp();
        var report = await output.WithProgressAsync(
            $"Importing {file}",
            show => new KnowledgeImport(database, _time).ImportAsync(
                input, organization, options, p => show(p.TotalBytes is > 0 ? (double)p.Bytes / p.TotalBytes : null),
                cancellationToken));

        var seconds = Math.Round(_time.GetElapsedTime(start).TotalSeconds, 2);
        output.Result(ToResult(report, organization, seconds), CliJson.Default.ImportResult, Lines(report, seconds));
        Warn(output, "broken", report.Broken, report.BrokenLines);
        Warn(output, "different", report.Different, report.DifferentLines);
        return report.Broken + report.Different > 0 ? ExitCode.Refused : ExitCode.Done;
    }

    private static Stream Open(string file)
    {
        if (file == "-")
        {
            return Console.OpenStandardInput();
        }

        if (!File.Exists(file))
        {
            throw CommandException.Usage(
                Directory.Exists(file) ? $"{file} is a folder" : $"there is no file {file}",
                "Name a file with one JSON object a line, or - for stdin.");
        }

        return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
    }

    private static IEnumerable<string> Lines(ImportReport report, double seconds)
    {
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Lines:N0} lines in {seconds:N1} s: {report.Added:N0} added, {report.Unchanged:N0} unchanged, "
            + $"{report.Different:N0} different, {report.Broken:N0} broken.");
        if (report.Added == 0)
        {
            yield break;
        }

        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"New: {report.Documents:N0} documents, {report.Objects:N0} objects, "
            + $"{report.Relationships:N0} relationships in {report.Projects:N0} projects.");
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"Objects: {report.Reviewed:N0} reviewed, {report.AutoAccepted:N0} accepted automatically, "
            + $"{report.Pending:N0} pending, {report.Rejected:N0} rejected.");
        if (report.NothingToFind > 0)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{report.NothingToFind:N0} {(report.NothingToFind == 1 ? "text" : "texts")} with nothing to find.");
        }

        if (report.ReplacedChunks > 0)
        {
            yield return $"Chunks replaced by a later revision: {report.ReplacedChunks}.";
        }
    }

    private static void Warn(CommandOutput output, string kind, long count, IReadOnlyList<LineProblem> problems)
    {
        foreach (var problem in problems)
        {
            output.Warn($"line {problem.Line} ({kind}): {problem.Reason}");
        }

        if (count > problems.Count)
        {
            output.Warn($"… and {count - problems.Count} more that are {kind}");
        }
    }

    private static ImportResult ToResult(ImportReport report, string organization, double seconds) => new(
        organization, report.OrganizationId, report.Lines, report.Added, report.Unchanged, report.Different,
        report.Broken, report.Projects, report.Documents, report.Objects, report.Relationships, report.Reviewed,
        report.AutoAccepted, report.Pending, report.Rejected, report.NothingToFind, report.ReplacedChunks, seconds, report.BrokenLines,
        report.DifferentLines);
}
