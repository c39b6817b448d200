using System.CommandLine;
using FeedbackLoop.Cli.Runs;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Preflights;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Cli.Preflights;

/// <summary>Preflights of this command line: with <c>--dry-run</c>, and before a start.</summary>
internal sealed class DryRun(NpgsqlDataSource database, OperatorSettings settings, TimeProvider time)
{
    /// <summary>Most extractions that a start checks; of more the export of the run decides.</summary>
    private const int StartCheckExtractions = 20_000;

    public static Option<bool> CreateOption(string instead) => new("--dry-run")
    {
        Description =
            $"Check everything, show what would be found and the request to Vertex AI, and {instead}. Exit code 3: refused.",
    };

    /// <summary>Shows what would be found. An export of this command line is no run, so none is in its way.</summary>
    /// <returns>Done when it would start, else refused.</returns>
    /// <exception cref="CommandException">The organization lets no run do so little about personal data.</exception>
    public async Task<int> ShowAsync(
        Scope scope, string purpose, RunParameters parameters, ExportOptions export, CommandOutput output,
        CancellationToken cancellationToken)
    {
        await PersonalDataFloor.KeepAsync(database, scope, parameters.Export, cancellationToken);
        var extractions = await CountAsync(scope, cancellationToken);
        var report = await output.WithProgressAsync(
            $"Checking {scope}",
            show => Create(export).CheckAsync(
                scope, purpose, parameters, startsRun: purpose == RunPurpose.Training,
                (progress, _) =>
                {
                    show(extractions == 0 ? null : Math.Min(0.99, (double)progress.Candidates / extractions));
                    return Task.CompletedTask;
                },
                cancellationToken));
        await KeepAsync(report, cancellationToken);
        output.Result(report, CliJson.Default.PreflightReport, PreflightPage.Of(report));
        return report.WouldStart ? ExitCode.Done : ExitCode.Refused;
    }

    /// <summary>Refuses what the run would end with, when that can be known soon.</summary>
    /// <exception cref="CommandException">The training would be refused.</exception>
    public async Task RefuseAsync(Scope scope, RunParameters parameters, CancellationToken cancellationToken)
    {
        await PersonalDataFloor.KeepAsync(database, scope, parameters.Export, cancellationToken);
        if (await HasMoreAsync(scope, cancellationToken))
        {
            return;
        }

        var report = await Create(settings.ReadExportOptions()).CheckAsync(
            scope, RunPurpose.Training, parameters, startsRun: true, (_, _) => Task.CompletedTask, cancellationToken);
        await KeepAsync(report, cancellationToken);

        // A live run is named by the start itself.
        if (report.Refusals.FirstOrDefault(each => each.Kind != PreflightObstacle.LiveRun) is { } refusal)
        {
            throw CommandException.Refused(refusal.Reason, refusal.Kind switch
            {
                PreflightObstacle.TooLittleData => "Review more extractions, or lower --min-examples. See all with --dry-run.",
                PreflightObstacle.Spending => "See: feedbackloop spending",
                PreflightObstacle.RunsPerDay => "See: feedbackloop training-status",
                PreflightObstacle.BaseModel => "Choose another --base-model.",
                _ => "See all with --dry-run.",
            });
        }
    }

    private async Task<bool> HasMoreAsync(Scope scope, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.HasMoreExtractionsAsync(scope, StartCheckExtractions, cancellationToken);
    }

    private async Task KeepAsync(PreflightReport report, CancellationToken cancellationToken)
    {
        if (report.Purpose == RunPurpose.Training)
        {
            await using var db = await database.OpenConnectionAsync(cancellationToken);
            await db.SavePreflightAsync(report, Actor.Name, time.GetUtcNow(), cancellationToken);
        }
    }

    private async Task<long> CountAsync(Scope scope, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.CountExtractionsAsync(scope, cancellationToken);
    }

    private Preflight Create(ExportOptions export) => new(
        database.OpenConnectionAsync, new PiiScanner(), new TokenCounter(), settings.ReadInstallation(export), time);
}
