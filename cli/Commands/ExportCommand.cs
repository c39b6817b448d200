using System.CommandLine;
using System.Globalization;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Preflights;
using FeedbackLoop.Cli.Runs;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Cli.Commands;

/// <summary>What was exported, and where to.</summary>
/// <param name="Excluded">Extractions that became no example, by reason.</param>
/// <param name="LeftOut">Parts that did not go into their example, or went into another part of it, by reason.</param>
/// <param name="EntitiesNotInText">Entities of the examples whose name their text does not have as whole words.</param>
internal sealed record ExportCommandResult(
    Guid OrganizationId, Guid? ProjectId, string TrainUri, string? ValidationUri, string? TestUri, string MetadataUri,
    int Candidates, int Examples, int TrainExamples, int ValidationExamples, int TestExamples, long EstimatedTrainTokens,
    IReadOnlyDictionary<string, int> Excluded, IReadOnlyDictionary<string, long> LeftOut,
    IReadOnlyList<PromptPart> LeftOutOfPrompts, EmptyTextCounts? EmptyTexts, long EntitiesNotInText, double Seconds);

/// <summary>Writes the training data of a project or an organization, by the code that the export function runs.</summary>
internal sealed class ExportCommand : OperatorCommand
{
    private readonly TimeProvider _time;

    private readonly ScopeOptions _scope = new();
    private readonly CriteriaOptions _criteria = new();

    private readonly Option<double> _testShare;

    private readonly Option<string> _output = new("--output")
    {
        Description = "A folder, or gs://bucket/folder. An object that is there with other content is not replaced.",
        HelpName = "DIR|gs://…",
    };

    private readonly Option<bool> _dryRun = DryRun.CreateOption("write nothing");

    public ExportCommand(TimeProvider time)
        : base(
            "export-training-data",
            "Writes train.jsonl, validation.jsonl, test.jsonl and metadata.json of a project or an organization. Too little "
            + "data is refused with the numbers, and the exit code is 3.")
    {
        _time = time;
        var (min, max) = LimitedOption.LimitsOf<double>(typeof(ExportOptions), nameof(ExportOptions.TestShare));
        _testShare = LimitedOption.Create(
            "--test-share", "Share of the documents that are held out. Use what the installation has as Export:TestShare.",
            new ExportOptions().TestShare, min, max);
        _scope.AddOneTo(this);
        Options.Add(_output);
        foreach (var option in _criteria.All)
        {
            Options.Add(option);
        }

        Options.Add(_testShare);
        Options.Add(_dryRun);
        Validators.Add(result =>
        {
            if (result.GetResult(_output) is null && !result.GetValue(_dryRun))
            {
                result.AddError($"Give {_output.Name}, or {_dryRun.Name}.");
            }
        });
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop export-training-data --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --output ./dataset",
        "feedbackloop export-training-data --organization 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11 --pii redact "
            + "--output gs://my-datasets/review",
        "feedbackloop export-training-data --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --dry-run",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var settings = OperatorSettings.Read(arguments);
        await using var database = settings.OpenDatabase();
        var criteria = _criteria.Read(arguments);
        if (arguments.GetValue(_dryRun))
        {
            return await CheckAsync(database, settings, arguments, criteria, output, cancellationToken);
        }

        var (store, folder) = Open(arguments.GetRequiredValue(_output), settings);
        var (scope, extractions) = await FindScopeAsync(database, arguments, cancellationToken);
        await PersonalDataFloor.KeepAsync(database, scope, criteria, cancellationToken);
        await using var audit = await ExportAudit.BeginAsync(
            database, scope, new(store.UriOf(folder), criteria, arguments.GetValue(_testShare)), _time,
            cancellationToken);
        var exporter = new DatasetExporter(
            database, new PiiScanner(), new TokenCounter(), new Failpoints(),
            Microsoft.Extensions.Options.Options.Create(settings.ReadVerification()));
        var start = _time.GetTimestamp();
        var result = await output.WithProgressAsync(
            $"Exporting {scope}",
            show => exporter.ExportAsync(
                scope, criteria, arguments.GetValue(_testShare), new ExportOptions().MaxContributorShare(scope),
                new ExportOptions().MinExamples(scope, RunPurpose.Training, criteria), store, folder,
                (progress, _) =>
                {
                    // An estimate must not claim the end before the end.
                    show(extractions == 0 ? null : Math.Min(0.99, (double)progress.Candidates / extractions));
                    return Task.CompletedTask;
                },
                (_, _) => Task.CompletedTask,
                cancellationToken));

        if (result is ExportResult.Refused refused)
        {
            throw CommandException.Refused(refused.Reason, "Review more extractions, or lower --min-examples.");
        }

        var exported = (ExportResult.Exported)result;
        audit.Files =
        [
            .. new[] { exported.Train, exported.Validation, exported.Test, exported.Metadata }.OfType<StoredFile>(),
        ];
        var seconds = Math.Round(_time.GetElapsedTime(start).TotalSeconds, 2);
        output.Result(
            ToResult(scope, exported, seconds), CliJson.Default.ExportCommandResult, Lines(exported, seconds));
        return ExitCode.Done;
    }

    private async Task<int> CheckAsync(
        NpgsqlDataSource database, OperatorSettings settings, ParseResult arguments, ExportCriteria criteria,
        CommandOutput output, CancellationToken cancellationToken)
    {
        var scope = await _scope.GetAsync(database, arguments, cancellationToken);
        var export = new ExportOptions { TestShare = arguments.GetValue(_testShare) };

        // This command asks for as much as a training does.
        var asked = criteria with { MinExamples = export.MinExamples(scope, RunPurpose.Training, criteria) };
        return await new DryRun(database, settings, _time).ShowAsync(
            scope, RunPurpose.Export, RunParameters.Default with { Export = asked }, export, output, cancellationToken);
    }

    private async Task<(Scope Scope, long Extractions)> FindScopeAsync(
        NpgsqlDataSource database, ParseResult arguments, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var scope = await _scope.FindAsync(db, arguments, cancellationToken)
            ?? throw new InvalidOperationException("a scope is required, and the parser let its absence pass");
        return (scope, await db.CountExtractionsAsync(scope, cancellationToken));
    }

    private static (IDatasetStore Store, string Folder) Open(string output, OperatorSettings settings)
    {
        if (!BucketFolder.IsMeant(output))
        {
            return (new DirectoryDatasetStore(output), "");
        }

        var target = BucketFolder.Parse(output);
        return (target.Open(settings), target.Folder);
    }

    private static IEnumerable<string> Lines(ExportResult.Exported exported, double seconds)
    {
        var counts = exported.Content.Counts;
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{counts.Examples:N0} examples of {counts.Candidates:N0} extractions in {seconds:N1} s: "
            + $"{counts.TrainExamples:N0} train, {counts.ValidationExamples:N0} validation, "
            + $"{counts.TestExamples:N0} held out, "
            + $"about {counts.EstimatedTrainTokens:N0} tokens an epoch.");
        if (exported.Content.EmptyTexts is { } empty && counts.EmptyTexts > 0)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"{counts.EmptyTexts:N0} of them are texts with nothing to find: {empty.Train:N0} train, "
                + $"{empty.Validation:N0} validation, {empty.Test:N0} held out.");
        }

        foreach (var (reason, count) in exported.Content.Excluded)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Left out: {count:N0} {reason}");
        }

        foreach (var part in exported.Content.LeftOutOfPrompts ?? [])
        {
            var type = $"{part.Kind} type {part.Type} of project {part.ProjectId} ({part.Reason})";
            yield return part.Part switch
            {
                PromptPart.WholeType => $"Left out of the prompt: {type}",
                PromptPart.Field => $"Left out of the prompt: a field of {type}",
                _ => $"Not shown in the prompt as it is: the description of {type}",
            };
        }

        foreach (var (reason, count) in exported.Content.LeftOut.Where(each => each.Value > 0))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Left out inside the examples: {count:N0} {reason}");
        }

        if (counts.EntitiesNotInText > 0)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"Names that do not stand in their text: {counts.EntitiesNotInText:N0} of {counts.Entities:N0}");
        }

        yield return exported.Train.Uri;
        if (exported.Validation is not null)
        {
            yield return exported.Validation.Uri;
        }

        if (exported.Test is not null)
        {
            yield return exported.Test.Uri;
        }

        yield return exported.Metadata.Uri;
    }

    private static ExportCommandResult ToResult(Scope scope, ExportResult.Exported exported, double seconds)
    {
        var counts = exported.Content.Counts;
        return new(
            scope.OrganizationId, scope.ProjectId, exported.Train.Uri, exported.Validation?.Uri, exported.Test?.Uri,
            exported.Metadata.Uri, counts.Candidates, counts.Examples, counts.TrainExamples, counts.ValidationExamples,
            counts.TestExamples, counts.EstimatedTrainTokens, exported.Content.Excluded, exported.Content.LeftOut,
            exported.Content.LeftOutOfPrompts ?? [], exported.Content.EmptyTexts, counts.EntitiesNotInText, seconds);
    }
}
