using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>
/// Every five minutes: whatever a lost message, a dead worker or a silent service left behind. Each part goes on from rows,
/// stands for itself, and does not stop the next one.
/// </summary>
internal sealed partial class SweepStep(
    NpgsqlDataSource database,
    OutboxRelay outbox,
    TuningReconciler reconciler,
    JobSweep jobs,
    RunSweep runs,
    ExtractionSweep extractions,
    StatisticsSweep statistics,
    LeftoverSweep leftovers,
    DocumentSweep documents,
    SpendingTerms terms,
    TimeProvider time,
    IOptions<SweepOptions> options,
    ILogger<SweepStep> logger) : IStep<PollTick>
{
    // Longer than two sweeps: what waits for so long is stuck, and a person has to look at its topic.
    private static readonly TimeSpan StuckAfter = TimeSpan.FromMinutes(10);

    // Nobody asks for a sent message again; its key keeps a repeat of the same step from sending a second one.
    private static readonly TimeSpan SentIsKept = TimeSpan.FromDays(30);

    // Longer than the half an hour without a sweep after which an alert says that there is none: no failure goes unsaid.
    private static readonly TimeSpan FailureIsNews = TimeSpan.FromMinutes(35);

    public async Task<StepOutcome> RunAsync(PollTick message, CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        var sent = await TryAsync("relay", RelayAsync);
        var woken = await TryAsync("wake", token => runs.WakeAsync(failures, token));
        var stale = await TryAsync(
            "stale attempts", token => reconciler.MarkStaleAsync(options.Value.BatchSize, failures, token));

        // Before Vertex is asked for anything: what it does not answer, or slowly, keeps nobody from the end of his
        // time.
        var overdue = await TryAsync("overdue runs", token => runs.EndOverdueAsync(failures, token));
        var listing = new JobListing();
        var settled = await TryAsync("unanswered attempts", token => jobs.SettleAsync(listing, failures, token));
        await TryAsync(
            "unsettled calls", token => reconciler.ReportUnsettledAsync(options.Value.BatchSize, failures, token));

        // Before the polls, which then ask Vertex AI to end the jobs.
        var stray = await TryAsync("stray runs", token => runs.CancelStrayAsync(failures, token));
        var polled = await TryAsync("polls", token => runs.PollAsync(failures, token));
        overdue += await TryAsync("overdue runs", token => runs.EndOverdueAsync(failures, token));
        overdue += await TryAsync("overdue evaluations", token => runs.DecideOverdueAsync(failures, token));
        var duplicates = await TryAsync("duplicates", token => jobs.StopDuplicatesAsync(listing, failures, token));
        await TryAsync("leftover exports", token => leftovers.DeleteAsync(failures, token));
        await TryAsync("clock", CompareClocksAsync);
        await TryAsync("deleted documents", documents.MarkDeletedAsync);
        await TryAsync("forgotten documents", token => documents.ForgetAsync(failures, token));
        var folded = await TryAsync("statistics", token => statistics.FoldAsync(failures, token));
        sent += await TryAsync("relay", RelayAsync);
        await TryAsync("waiting extractions", extractions.WakeAsync);
        await TryAsync("backlog", MeasureBacklogAsync);
        await TryAsync("sent messages", ForgetSentAsync);
        await TryAsync("failed runs", ReportFailedAsync);
        await TryAsync("spending", ReportSpendingAsync);
        await TryAsync("extraction spending", ReportExtractionSpendingAsync);

        return failures.Count == 0
            ? new StepOutcome.Done(
                $"{sent} sent, {woken} woken, {stale} stale, {settled} unanswered, {stray} stray, {polled} polled, {overdue} overdue, "
                + $"{duplicates} duplicates, {folded} folded")
            : throw new AggregateException("parts of the sweep failed", failures);

        async Task<int> TryAsync(string part, Func<CancellationToken, Task<int>> act)
        {
            try
            {
                return await act(cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                LogPartFailed(e, part);
                failures.Add(e);
                return 0;
            }
        }
    }

    private Task<int> RelayAsync(CancellationToken cancellationToken) =>
        outbox.SendPendingAsync(options.Value.BatchSize, cancellationToken);

    // After the relay: what still waits now did not go out.
    private async Task<int> MeasureBacklogAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var backlog = await db.ReadBacklogAsync(cancellationToken);
        foreach (var topic in Topics.OfOutbox.Except(backlog.Select(each => each.Topic)))
        {
            PipelineMetrics.OutboxMeasured(topic, waiting: 0, TimeSpan.Zero);
        }

        foreach (var waits in backlog)
        {
            PipelineMetrics.OutboxMeasured(waits.Topic, waits.Waiting, waits.OldestAge);
            if (waits.OldestAge > StuckAfter)
            {
                LogStuck(waits.Waiting, waits.Topic, waits.OldestAge.TotalMinutes, waits.MostAttempts, waits.LastError);
            }
        }

        return backlog.Sum(each => each.Waiting);
    }

    private async Task<int> ForgetSentAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.DeleteSentAsync(SentIsKept, options.Value.BatchSize, cancellationToken);
    }

    // Here, because a run ends in one of many places.
    private async Task<int> ReportFailedAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var failed = await db.ListFailedAsync(FailureIsNews, options.Value.BatchSize, cancellationToken);
        foreach (var run in failed)
        {
            LogRunFailed(run.Id, run.Scope, run.Reason);
        }

        return failed.Count;
    }

    private async Task<int> ReportSpendingAsync(CancellationToken cancellationToken)
    {
        if (options.Value.AlarmUsdPerDay is not { } alarm)
        {
            return 0;
        }

        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var spent = await db.ReadSpentAsync(TimeSpan.FromDays(1), cancellationToken);
        if (spent > alarm)
        {
            LogSpending(spent, alarm);
        }

        return 0;
    }

    private async Task<int> ReportExtractionSpendingAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var dear = await db.ListDearExtractionsAsync(
            options.Value.BatchSize, terms, time.GetUtcNow(), cancellationToken);
        foreach (var (organization, usd) in dear)
        {
            LogExtractionSpending(organization, usd, terms.Options.ExtractionAlarmUsd);
        }

        return dear.Count;
    }

    // Tokens and deadlines come from this machine's clock, leases from the database's.
    private async Task<int> CompareClocksAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var before = time.GetUtcNow();
        var clock = await db.ReadClockAsync(cancellationToken);
        var after = time.GetUtcNow();
        var ahead = clock < before ? before - clock : clock > after ? clock - after : TimeSpan.Zero;
        if (ahead > options.Value.ClockTolerance)
        {
            LogClocksDiffer(ahead.TotalSeconds);
        }

        return 0;
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{Waiting} messages wait for the topic {Topic}, the oldest for {Minutes:0} minutes, "
            + "tried up to {Attempts} times: {LastError}")]
    private partial void LogStuck(int waiting, string topic, double minutes, int attempts, string? lastError);

    [LoggerMessage(Level = LogLevel.Error, Message = "Part '{Part}' of the sweep failed")]
    private partial void LogPartFailed(Exception exception, string part);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "This machine's clock and the database's are {Seconds} seconds apart")]
    private partial void LogClocksDiffer(double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId} of {Scope} has failed: {Reason}")]
    private partial void LogRunFailed(RunId runId, Scope scope, string? reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Tuning jobs of the last day are estimated at {Usd:0.00} USD, above {Alarm:0.00} USD")]
    private partial void LogSpending(decimal usd, decimal alarm);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Extractions of organization {OrganizationId} have cost {Usd:0.00} USD this month, above {Alarm:0.00} USD")]
    private partial void LogExtractionSpending(Guid organizationId, decimal usd, decimal alarm);
}
