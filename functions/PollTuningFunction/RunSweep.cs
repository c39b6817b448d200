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

    // Less than the five minutes between two sweeps: whoever was not looked at is due again in the next one.
    private static readonly TimeSpan NextLook = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan NextLookAfterFailure = TimeSpan.FromMinutes(4);

    /// <summary>Sends their message again to runs that nobody works on.</summary>
    public async Task<int> WakeAsync(List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<RunId> waiting;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            waiting = await db.ListWaitingRunsAsync(
                options.Value.BatchSize, options.Value.Patience, cancellationToken);
        }

        try
        {
            return await WakeAsync(waiting, cancellationToken);
        }
        catch (PostgresException e)
        {
            LogWokenOneByOne(e);
        }

        // All at once failed by one of them.
        var woken = 0;
        foreach (var run in waiting)
        {
            await OneByOne.TryAsync(
                async () => woken += await WakeAsync([run], cancellationToken), failures, e => LogLeft(e, run),
                cancellationToken);
        }

        return woken;
    }

    /// <summary>Looks at every tuning job whose time has come, for as long as a sweep may.</summary>
    /// <remarks>
    /// Which look comes next is written before a look begins and after it fails: jobs that cannot be read, or only
    /// slowly, come after those that can.
    /// </remarks>
    public async Task<int> PollAsync(List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<DuePoll> due;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            due = await db.TakeDuePollsAsync(options.Value.BatchSize, NextLook, cancellationToken);
        }

        var started = time.GetTimestamp();
        var looked = 0;
        var failed = new ConcurrentQueue<Exception>();
        var bound = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.Value.Parallelism,
            CancellationToken = cancellationToken,
            TaskScheduler = TaskScheduler.Current,
        };
        await Parallel.ForEachAsync(due, bound, async (run, token) =>
        {
            if (time.GetElapsedTime(started) >= options.Value.PollTime)
            {
                return;
            }

            Interlocked.Increment(ref looked);
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
                await using var db = await database.OpenConnectionAsync(token);
                await db.PostponePollAsync(run.Id, NextLookAfterFailure, token);
            }
        });
        failures.AddRange(failed);
        return looked;
    }

    /// <summary>
    /// Cancels what the product has deleted the scope of. Its tuning job, if any, is cancelled and looked at to its end like every
    /// other one: a job goes on costing money whoever is gone.
    /// </summary>
    public async Task<int> CancelStrayAsync(List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<StrayRun> strays;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            strays = await db.ListStrayRunsAsync(options.Value.BatchSize, cancellationToken);
        }

        var cancelled = 0;
        foreach (var stray in strays)
        {
            await OneByOne.TryAsync(
                async () => cancelled += await CancelAsync(stray, cancellationToken) ? 1 : 0,
                failures, e => LogLeft(e, stray.Id), cancellationToken);
        }

        return cancelled;
    }

    /// <summary>
    /// Ends what has lasted longer than it may and needs no answer of Vertex AI for it. A tuning run needs one: the
    /// look at its job ends it, also when the job cannot be read.
    /// </summary>
    public async Task<int> EndOverdueAsync(List<Exception> failures, CancellationToken cancellationToken) =>
        await EachOverdueAsync(
            [RunState.Requested, RunState.Exporting, RunState.Exported, RunState.AwaitingApproval, RunState.Cancelling],
            run => EndAsync(run, cancellationToken), failures, cancellationToken);

    /// <summary>
    /// What was evaluated until its deadline decides; a model is not thrown away because others did not answer.
    /// </summary>
    public async Task<int> DecideOverdueAsync(List<Exception> failures, CancellationToken cancellationToken) =>
        await EachOverdueAsync(
            [RunState.Evaluating], run => DecideAsync(run, cancellationToken), failures, cancellationToken);

    private async Task<int> WakeAsync(IReadOnlyList<RunId> runs, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return (await db.WakeRunsAsync(runs, options.Value.Patience, cancellationToken)).Count;
    }

    private async Task<int> EachOverdueAsync(
        string[] states, Func<Run, Task> end, List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<Run> overdue;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            overdue = await db.ListOverdueRunsAsync(states, options.Value.BatchSize, cancellationToken);
        }

        foreach (var run in overdue)
        {
            await OneByOne.TryAsync(() => end(run), failures, e => LogLeft(e, run.Id), cancellationToken);
        }

        return overdue.Count;
    }

    private async Task<bool> CancelAsync(StrayRun stray, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var isCancelled = await db.RequestCancelAsync(
            stray.Id, Actor, stray.Reason, time.GetUtcNow(), cancellationToken);
        if (isCancelled)
        {
            LogStray(stray.Id, stray.Reason);
        }

        return isCancelled;
    }

    private async Task EndAsync(Run run, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
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
            case RunState.Cancelling:
                var reason = $"the cancellation took longer than it may{last}";
                if (await db.MarkNeedsOperatorAsync(run.Id, reason, cancellationToken))
                {
                    LogNeedsOperator(run.Id, reason);
                }

                break;
            default:
                throw new InvalidOperationException($"a run that is {run.State} is not ended by its deadline alone");
        }
    }

    private async Task DecideAsync(Run run, CancellationToken cancellationToken)
    {
        try
        {
            await poll.RunAsync(new TuningStarted(run.Id), cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // A model that is registered waits for the next sweep: its rows are all that the decision needs.
            LogPollFailed(e, run.Id);
            await using var db = await database.OpenConnectionAsync(cancellationToken);
            if (await db.FindModelAsync(run.Id, cancellationToken) is { VertexEndpoint: null }
                && await db.FindRunAsync(run.Id, cancellationToken) is { State: RunState.Evaluating } now)
            {
                var last = run.Reason is { } known ? $": {known}" : "";
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Waiting runs are woken one by one, as one of them cannot be")]
    private partial void LogWokenOneByOne(Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Run {RunId} is left to the next sweep")]
    private partial void LogLeft(Exception exception, RunId runId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId} is cancelled: {Reason}")]
    private partial void LogStray(RunId runId, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Run {RunId} needs an operator: {Reason}")]
    private partial void LogNeedsOperator(RunId runId, string reason);
}
