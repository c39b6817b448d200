using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Tuning;

/// <summary>Settles attempts whose call stayed without an answer, from what Vertex lists.</summary>
public sealed partial class TuningReconciler(
    NpgsqlDataSource database,
    IDatasetStore datasets,
    ITuningService tuning,
    TimeProvider time,
    IOptions<TuningOptions> options,
    ILogger<TuningReconciler> logger)
{
    private const string Actor = "system:sweep";

    /// <summary>
    /// Attempts that were sending for longer than a worker may take become unknown, and their runs
    /// <c>create_unknown</c>; each on its own.
    /// </summary>
    public async Task<int> MarkStaleAsync(
        int limit, ICollection<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<RunId> runs;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            runs = await db.ListStaleAsync(options.Value.Lease, limit, cancellationToken);
        }

        foreach (var run in runs)
        {
            await OneByOne.TryAsync(
                () => MarkStaleAsync(run, cancellationToken), failures, e => LogLeft(e, run), cancellationToken);
        }

        return runs.Count;
    }

    /// <summary>
    /// Says each time which calls should have been settled by now, whatever keeps them from it, and gives those to a
    /// person that nothing will settle any more.
    /// </summary>
    /// <returns>How many.</returns>
    public async Task<int> ReportUnsettledAsync(
        int limit, ICollection<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<UnsettledCall> calls;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            calls = await db.ListUnsettledAsync(
                options.Value.UnsettledTolerance, options.Value.CancelDeadline, limit, cancellationToken);
        }

        foreach (var call in calls)
        {
            LogUnsettled(call.RunId, call.Attempt, call.SentAt);
            if (call.IsHopeless)
            {
                await OneByOne.TryAsync(
                    () => AskOperatorAsync(
                        call.RunId,
                        $"attempt {call.Attempt} was sent at {call.SentAt:u}, and nothing could find out whether it made "
                        + "a job",
                        cancellationToken),
                    failures, e => LogLeft(e, call.RunId), cancellationToken);
            }
        }

        return calls.Count;
    }

    /// <param name="attempt">Unresolved.</param>
    /// <param name="runCreatedAt">No job of its run is older.</param>
    /// <param name="pass">Of the list under the attempt's parent, as far as it is read.</param>
    public async Task SettleAsync(
        TuningAttempt attempt, DateTimeOffset runCreatedAt, ListingPass pass, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var attempts = await db.ListAttemptsAsync(attempt.RunId, cancellationToken);
        var match = JobMatch.Find(pass.Found, tuning.Target.Environment, attempt.RunId, attempts);
        var hasAbsent = attempts.Any(other => other.State == AttemptState.Absent);
        switch (Reconciliation.Decide(attempt, match, pass, runCreatedAt, hasAbsent))
        {
            case Reconciliation.Adopt adopt:
                await AdoptAsync(db, attempt, adopt, cancellationToken);
                break;
            case Reconciliation.ReadOn:
                break;
            case Reconciliation.LookAgain:
                await db.CountListCheckAsync(attempt.RunId, attempt.Number, pass.StartedAt, cancellationToken);
                break;
            case Reconciliation.BurnDataset:
                await BurnAsync(db, attempt, pass, cancellationToken);
                break;
            case Reconciliation.ConcludeAbsent:
                await ConcludeAbsentAsync(db, attempt, pass, cancellationToken);
                break;
            case Reconciliation.AskOperator ask:
                await AskOperatorAsync(attempt.RunId, ask.Reason, cancellationToken);
                break;
            case var other:
                throw new InvalidOperationException($"unknown decision {other}");
        }
    }

    private async Task MarkStaleAsync(RunId run, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (await db.MarkStaleUnknownAsync(run, options.Value.Lease, cancellationToken))
        {
            await db.MarkCreateUnknownAsync(
                run, "a worker died around the creation of the tuning job; looking for the job", cancellationToken);
        }

        await tx.CommitAsync(cancellationToken);
    }

    private async Task AdoptAsync(
        NpgsqlConnection db, TuningAttempt attempt, Reconciliation.Adopt adopt, CancellationToken cancellationToken)
    {
        var (job, intended) = adopt;
        if (await db.RecordJobAsync(
            attempt.RunId, attempt.Number, intended.BaseModel, intended.ParentModelId, job, options.Value,
            cancellationToken))
        {
            LogAdopted(attempt.RunId, attempt.Number, job.Name);
        }
    }

    // Any generation: a worker that slept through everything may have written the object again.
    private async Task BurnAsync(
        NpgsqlConnection db, TuningAttempt attempt, ListingPass pass, CancellationToken cancellationToken)
    {
        await datasets.DeleteAsync(DatasetUri.NameOf(attempt.DatasetUri), generation: null, cancellationToken);
        await db.MarkDatasetDeletedAsync(attempt.RunId, attempt.Number, cancellationToken);
        await db.CountListCheckAsync(attempt.RunId, attempt.Number, pass.StartedAt, cancellationToken);
        LogBurned(attempt.RunId, attempt.Number);
    }

    private async Task ConcludeAbsentAsync(
        NpgsqlConnection db, TuningAttempt attempt, ListingPass pass, CancellationToken cancellationToken)
    {
        await datasets.DeleteAsync(DatasetUri.NameOf(attempt.DatasetUri), generation: null, cancellationToken);
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (!await db.MarkAbsentAsync(attempt.RunId, attempt.Number, pass.StartedAt, cancellationToken))
        {
            return;
        }

        // The create step looks at the state: of a run that is being cancelled it makes no second job.
        await db.AddMessageAsync(
            attempt.RunId, Topics.DatasetExported, new DatasetExported(attempt.RunId),
            MessageJson.Default.DatasetExported, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        LogAbsent(attempt.RunId, attempt.Number);
    }

    private async Task AskOperatorAsync(RunId runId, string reason, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var isNew = await db.MarkNeedsOperatorAsync(runId, reason, cancellationToken);
        if (isNew && await db.FindRunAsync(runId, cancellationToken) is { } run)
        {
            await db.AddAuditEntryAsync(
                run.Scope, Actor, "ask-operator", $"run {run.Id}", reason, time.GetUtcNow(), cancellationToken);
        }

        await tx.CommitAsync(cancellationToken);
        if (isNew)
        {
            LogNeedsOperator(runId, reason);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId}: tuning job {Job} found for unanswered attempt {Attempt}")]
    private partial void LogAdopted(RunId runId, int attempt, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId}: dataset object of unanswered attempt {Attempt} deleted")]
    private partial void LogBurned(RunId runId, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId}: attempt {Attempt} made no tuning job")]
    private partial void LogAbsent(RunId runId, int attempt);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Run {RunId} is unsettled: attempt {Attempt} was sent at {SentAt}, and nobody knows whether it made a tuning job")]
    private partial void LogUnsettled(RunId runId, int attempt, DateTimeOffset sentAt);

    [LoggerMessage(Level = LogLevel.Error, Message = "Unanswered call of run {RunId} is left to the next sweep")]
    private partial void LogLeft(Exception exception, RunId runId);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Run {RunId} needs an operator: {Reason}")]
    private partial void LogNeedsOperator(RunId runId, string reason);
}
