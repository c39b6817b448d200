using System.Collections.Concurrent;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>The parts of the sweep that go by the time on a run's row.</summary>
internal sealed partial class RunSweep(
    NpgsqlDataSource database,
    PollTuningStep poll,
    TimeProvider time,
    IOptions<SweepOptions> options,
    ILogger<RunSweep> logger)
{
    private const string Actor = "system:sweep";

    /// <summary>Sends their message again to runs that nobody works on.</summary>
    public async Task<int> WakeAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var woken = await db.WakeDueRunsAsync(options.Value.BatchSize, options.Value.Patience, cancellationToken);
        return woken.Count;
    }

    /// <summary>Looks at every tuning job whose time has come.</summary>
    public async Task<int> PollAsync(List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<DuePoll> due;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            due = await db.ListDuePollsAsync(options.Value.BatchSize, cancellationToken);
        }

        var failed = new ConcurrentQueue<Exception>();
        var bound = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.Value.Parallelism,
            CancellationToken = cancellationToken,
        };
        await Parallel.ForEachAsync(due, bound, async (run, token) =>
        {
            using var activity = PipelineTraces.StartPoll(run.Id.Value, run.TraceParent);
            try
            {
                await poll.RunAsync(new TuningStarted(run.Id), token);
            }
            catch (Exception e) when (!token.IsCancellationRequested)
            {
                activity.SetFailure(e);
                LogPollFailed(e, run.Id);
                failed.Enqueue(e);
            }
        });
        failures.AddRange(failed);
        return due.Count;
    }

    /// <summary>
    /// Cancels what the product has deleted the scope of. Its tuning job, if any, is cancelled and looked at to its end like every
    /// other one: a job goes on costing money whoever is gone.
    /// </summary>
    public async Task<int> CancelStrayAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var cancelled = 0;
        foreach (var stray in await db.ListStrayRunsAsync(options.Value.BatchSize, cancellationToken))
        {
            if (await db.RequestCancelAsync(stray.Id, Actor, stray.Reason, time.GetUtcNow(), cancellationToken))
            {
                LogStray(stray.Id, stray.Reason);
                cancelled++;
            }
        }

        return cancelled;
    }

    /// <summary>Ends, or has ended, what has lasted longer than it may.</summary>
    public async Task<int> EndOverdueAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var overdue = await db.ListOverdueRunsAsync(options.Value.BatchSize, cancellationToken);
        foreach (var run in overdue)
        {
            await EndAsync(db, run, cancellationToken);
        }

        return overdue.Count;
    }

    private async Task EndAsync(NpgsqlConnection db, Run run, CancellationToken cancellationToken)
    {
        var last = run.Reason is { } known ? $": {known}" : "";
        switch (run.State)
        {
            case RunState.Requested or RunState.Exporting:
                await FailAsync(db, run, $"the export took longer than it may{last}", cancellationToken);
                break;
            case RunState.Exported:
                await FailAsync(db, run, $"waiting for a tuning job took longer than it may{last}", cancellationToken);
                break;
            case RunState.AwaitingApproval:
                await SkipAsync(db, run, $"nobody has approved it in time: {run.Reason}", cancellationToken);
                break;
            case RunState.Evaluating:
                await DecideAsync(db, run, last, cancellationToken);
                break;
            case RunState.Tuning:
                // The look decides: a job that finished at the last moment is not thrown away.
                using (PipelineTraces.StartPoll(run.Id.Value, run.TraceParent))
                {
                    await poll.RunAsync(new TuningStarted(run.Id), cancellationToken);
                }

                break;
            case RunState.Cancelling:
                var reason = $"the cancellation took longer than it may{last}";
                if (await db.MarkNeedsOperatorAsync(run.Id, reason, cancellationToken))
                {
                    LogNeedsOperator(run.Id, reason);
                }

                break;
            default:
                throw new InvalidOperationException($"a run that is {run.State} has no deadline");
        }
    }

    // What was evaluated until now decides; a model is not thrown away because others did not answer.
    private async Task DecideAsync(NpgsqlConnection db, Run run, string last, CancellationToken cancellationToken)
    {
        try
        {
            await poll.RunAsync(new TuningStarted(run.Id), cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // A model that is registered waits for the next sweep: its rows are all that the decision needs.
            LogPollFailed(e, run.Id);
            if (await db.FindModelAsync(run.Id, cancellationToken) is { VertexEndpoint: null }
                && await db.FindRunAsync(run.Id, cancellationToken) is { State: RunState.Evaluating } now)
            {
                await FailAsync(db, now, $"registering the model took longer than it may{last}", cancellationToken);
            }
        }
    }

    private async Task SkipAsync(NpgsqlConnection db, Run run, string reason, CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (await db.MoveAsync(run, RunState.Skipped, reason, TimeSpan.Zero, cancellationToken))
        {
            await db.NotifyAdminsAsync(
                [
                    new AdminNotice(
                        run.Scope, "Training skipped", $"{char.ToUpperInvariant(reason[0])}{reason[1..]}.", "warning", run.Id),
                ],
                time.GetUtcNow(), cancellationToken);
        }

        await tx.CommitAsync(cancellationToken);
    }

    private static async Task FailAsync(
        NpgsqlConnection db, Run run, string reason, CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (await db.MoveAsync(run, RunState.Failed, reason, TimeSpan.Zero, cancellationToken))
        {
            await db.MarkModelFailedAsync(run.Id, reason, cancellationToken);
        }

        await tx.CommitAsync(cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Tuning job of run {RunId} could not be looked at")]
    private partial void LogPollFailed(Exception exception, RunId runId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId} is cancelled: {Reason}")]
    private partial void LogStray(RunId runId, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Run {RunId} needs an operator: {Reason}")]
    private partial void LogNeedsOperator(RunId runId, string reason);
}
