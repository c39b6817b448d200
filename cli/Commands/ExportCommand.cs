using System.CommandLine;
using System.Globalization;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Google.Apis.Auth.OAuth2;
using Npgsql;

namespace FeedbackLoop.Cli.Commands;

/// <summary>What was exported, and where to.</summary>
internal sealed record ExportCommandResult(
    Guid OrganizationId, Guid? ProjectId, string TrainUri, string? ValidationUri, string MetadataUri, int Candidates,
    int Examples, int TrainExamples, int ValidationExamples, long EstimatedTrainTokens,
    IReadOnlyDictionary<string, int> Excluded, double Seconds);

/// <summary>Writes the training data of a project or an organization, by the code that the export function runs.</summary>
internal sealed class ExportCommand : OperatorCommand
{
    private static readonly ExportCriteria Defaults = new();

    private readonly TimeProvider _time;

    private readonly Option<Guid?> _project = new("--project-id")
    {
        Description = "The project to export.",
        HelpName = "ID",
    };

    private readonly Option<Guid?> _organization = new("--organization-id")
    {
        Description = "The organization to export, with all its projects.",
        HelpName = "ID",
    };

    private readonly Option<string> _output = new("--output")
    {
        Description = "A folder, or gs://bucket/folder. An object that is there with other content is not replaced.",
        HelpName = "DIR|gs://…",
        Required = true,
    };

    private readonly Option<double> _minConfidence = ShareOption.Create(
        "--min-confidence", "Lowest confidence that counts as verified without a person.", Defaults.MinConfidence);

    private readonly Option<bool> _humanReviewedOnly = new("--human-reviewed-only")
    {
        Description = "Take only what a person has reviewed.",
    };

    private readonly Option<PiiPolicy> _pii = new("--pii")
    {
        Description = "What happens to an example with personal data.",
        DefaultValueFactory = _ => Defaults.Pii,
    };

    private readonly Option<double> _validationShare = ShareOption.Create(
        "--validation-share", "Share of the documents whose examples validate.", Defaults.ValidationShare);

    private readonly Option<long> _seed = new("--seed")
    {
        Description = "Decides split and order: the same seed and data give the same bytes.",
        HelpName = "NUMBER",
        DefaultValueFactory = _ => Defaults.Seed,
    };

    private readonly Option<int?> _minExamples = new("--min-examples")
    {
        Description = "Refuse fewer examples than this. [default: 100 for an organization, 50 for a project]",
        HelpName = "NUMBER",
    };

    public ExportCommand(TimeProvider time)
        : base(
            "export-training-data",
            "Writes train.jsonl, validation.jsonl and metadata.json of a project or an organization. Too little data is "
            + "refused with the numbers, and the exit code is 3.")
    {
        _time = time;
        foreach (var option in (Option[])
            [_project, _organization, _output, _minConfidence, _humanReviewedOnly, _pii, _validationShare, _seed, _minExamples])
        {
            Options.Add(option);
        }

        Validators.Add(result =>
        {
            if ((result.GetValue(_project) is null) == (result.GetValue(_organization) is null))
            {
                result.AddError("Give either --project-id or --organization-id.");
            }
        });
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop export-training-data --project-id 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --output ./dataset",
        "feedbackloop export-training-data --organization-id 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11 --pii redact "
            + "--output gs://my-datasets/review",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(DatabaseOption.ConnectionString(arguments));
        var scope = await FindScopeAsync(database, arguments, cancellationToken);
        var criteria = new ExportCriteria
        {
            MinConfidence = arguments.GetValue(_minConfidence),
            HumanReviewedOnly = arguments.GetValue(_humanReviewedOnly),
            Pii = arguments.GetValue(_pii),
            ValidationShare = arguments.GetValue(_validationShare),
            Seed = arguments.GetValue(_seed),
            MinExamples = arguments.GetValue(_minExamples),
        };
        var (store, folder) = Open(arguments.GetRequiredValue(_output));
        var exporter = new DatasetExporter(database, new PiiScanner(), new TokenCounter(), new Failpoints());
        var start = _time.GetTimestamp();
        var result = await output.WithProgressAsync(
            $"Exporting {scope}",
            show => exporter.ExportAsync(
                scope, criteria, new ExportOptions().MinExamples(scope, RunPurpose.Training, criteria), store, folder,
                (_, _) =>
                {
                    show(null);
                    return Task.CompletedTask;
                },
                (_, _) => Task.CompletedTask,
                cancellationToken));

        if (result is ExportResult.Refused refused)
        {
            throw CommandException.Refused(refused.Reason, "Review more extractions, or lower --min-examples.");
        }

        var exported = (ExportResult.Exported)result;
        var seconds = Math.Round(_time.GetElapsedTime(start).TotalSeconds, 2);
        output.Result(
            ToResult(scope, exported, seconds), CliJson.Default.ExportCommandResult, Lines(exported, seconds));
        return ExitCode.Done;
    }

    private async Task<Scope> FindScopeAsync(
        NpgsqlDataSource database, ParseResult arguments, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        if (arguments.GetValue(_project) is { } project)
        {
            return await db.FindProjectScopeAsync(project, cancellationToken)
                ?? throw CommandException.Refused($"there is no project {project}", "Check the id and --database.");
        }

        var organization = arguments.GetValue(_organization)!.Value;
        return await db.HasOrganizationAsync(organization, cancellationToken)
            ? new Scope(organization, null)
            : throw CommandException.Refused($"there is no organization {organization}", "Check the id and --database.");
    }

    private static (IDatasetStore Store, string Folder) Open(string output)
    {
        if (!output.StartsWith("gs://", StringComparison.Ordinal))
        {
            return (new DirectoryDatasetStore(output), "");
        }

        var (bucket, folder) = output["gs://".Length..].Split('/', 2) switch
        {
            [{ Length: > 0 } b] => (b, ""),
            [{ Length: > 0 } b, var f] => (b, f.Trim('/') is { Length: > 0 } path ? path + "/" : ""),
            _ => throw CommandException.Usage($"{output} names no bucket", "Write gs://bucket or gs://bucket/folder."),
        };
        var emulator = GoogleCloudAddress.Parse(Environment.GetEnvironmentVariable("STORAGE_EMULATOR_HOST"));
        var credential = emulator is null
            ? GoogleCredential.GetApplicationDefault().CreateScoped(GoogleAccess.Scope)
            : null;
        return (new GcsDatasetStore(GcsDatasetStore.CreateService(emulator, credential), bucket), folder);
    }

    private static IEnumerable<string> Lines(ExportResult.Exported exported, double seconds)
    {
        var counts = exported.Content.Counts;
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"{counts.Examples:N0} examples of {counts.Candidates:N0} extractions in {seconds:N1} s: "
            + $"{counts.TrainExamples:N0} train, {counts.ValidationExamples:N0} validation, "
            + $"about {counts.EstimatedTrainTokens:N0} tokens an epoch.");
        foreach (var (reason, count) in exported.Content.Excluded)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"Left out: {count:N0} {reason}");
        }

        yield return exported.Train.Uri;
        if (exported.Validation is not null)
        {
            yield return exported.Validation.Uri;
        }

        yield return exported.Metadata.Uri;
    }

    private static ExportCommandResult ToResult(Scope scope, ExportResult.Exported exported, double seconds)
    {
        var counts = exported.Content.Counts;
        return new(
            scope.OrganizationId, scope.ProjectId, exported.Train.Uri, exported.Validation?.Uri, exported.Metadata.Uri,
            counts.Candidates, counts.Examples, counts.TrainExamples, counts.ValidationExamples,
            counts.EstimatedTrainTokens, exported.Content.Excluded, seconds);
    }
}
