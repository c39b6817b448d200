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
    /// <summary>How long a start checks before it is left to the export of the run.</summary>
    private static readonly TimeSpan StartCheckTime = TimeSpan.FromSeconds(10);

    public static Option<bool> CreateOption(string instead) => new("--dry-run")
    {
        Description =
            $"Check everything, show what would be found and the request to Vertex AI, and {instead}. Exit code 3: refused.",
    };

    /// <summary>Shows what would be found. An export of this command line is no run, so none is in its way.</summary>
    /// <returns>Done when it would start, else refused.</returns>
    public async Task<int> ShowAsync(
        Scope scope, string purpose, RunParameters parameters, ExportOptions export, CommandOutput output,
        CancellationToken cancellationToken)
    {
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
        if (await TryCheckAsync(scope, parameters, cancellationToken) is not { } report)
        {
            return;
        }

        await KeepAsync(report, cancellationToken);

        // A live run is named by the start itself.
        if (report.Refusals.FirstOrDefault(each => each.Kind != PreflightObstacle.LiveRun) is { } refusal)
        {
            throw CommandException.Refused(refusal.Reason, refusal.Kind switch
            {
                PreflightObstacle.TooLittleData => "Review more extractions, or lower --min-examples. See all with --dry-run.",
                PreflightObstacle.Spending => "See: feedbackloop spending",
                PreflightObstacle.BaseModel => "Choose another --base-model.",
                _ => "See all with --dry-run.",
            });
        }
    }

    private async Task<PreflightReport?> TryCheckAsync(
        Scope scope, RunParameters parameters, CancellationToken cancellationToken)
    {
        using var clock = new CancellationTokenSource(StartCheckTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, cancellationToken);
        try
        {
            return await Create(settings.ReadExportOptions()).CheckAsync(
                scope, RunPurpose.Training, parameters, startsRun: true, (_, _) => Task.CompletedTask, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
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
