using FeedbackLoop.Datasets;
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
    /// Attempts that were sending for longer than a worker may take become unknown, and their runs <c>create_unknown</c>.
    /// </summary>
    public async Task<int> MarkStaleAsync(CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var runs = await db.MarkStaleUnknownAsync(options.Value.Lease, cancellationToken);
        foreach (var run in runs)
        {
            await db.MarkCreateUnknownAsync(
                run, "a worker died around the creation of the tuning job; looking for the job", cancellationToken);
        }

        await tx.CommitAsync(cancellationToken);
        return runs.Count;
    }

    /// <summary>Says each time which calls should have been settled by now, whatever keeps them from it.</summary>
    /// <returns>How many.</returns>
    public async Task<int> ReportUnsettledAsync(int limit, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var calls = await db.ListUnsettledAsync(options.Value.UnsettledTolerance, limit, cancellationToken);
        foreach (var call in calls)
        {
            LogUnsettled(call.RunId, call.Attempt, call.SentAt);
        }

        return calls.Count;
    }

    /// <param name="attempt">Read before <paramref name="jobs"/> were listed.</param>
    /// <param name="jobs">All jobs under the attempt's parent.</param>
    public async Task SettleAsync(
        TuningAttempt attempt, IReadOnlyList<TuningJob> jobs, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var attempts = await db.ListAttemptsAsync(attempt.RunId, cancellationToken);
        var match = JobMatch.Find(jobs, tuning.Target.Environment, attempt.RunId, attempts);
        var hasAbsent = attempts.Any(other => other.State == AttemptState.Absent);
        switch (Reconciliation.Decide(attempt, match, hasAbsent))
        {
            case Reconciliation.Adopt adopt:
                await AdoptAsync(db, attempt, adopt, cancellationToken);
                break;
            case Reconciliation.LookAgain:
                await db.CountListCheckAsync(attempt.RunId, attempt.Number, cancellationToken);
                break;
            case Reconciliation.BurnDataset:
                await BurnAsync(db, attempt, cancellationToken);
                break;
            case Reconciliation.ConcludeAbsent:
                await ConcludeAbsentAsync(db, attempt, cancellationToken);
                break;
            case Reconciliation.AskOperator ask:
                await AskOperatorAsync(db, attempt, ask.Reason, cancellationToken);
                break;
            case var other:
                throw new InvalidOperationException($"unknown decision {other}");
        }
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
    private async Task BurnAsync(NpgsqlConnection db, TuningAttempt attempt, CancellationToken cancellationToken)
    {
        await datasets.DeleteAsync(DatasetUri.NameOf(attempt.DatasetUri), generation: null, cancellationToken);
        await db.MarkDatasetDeletedAsync(attempt.RunId, attempt.Number, cancellationToken);
        await db.CountListCheckAsync(attempt.RunId, attempt.Number, cancellationToken);
        LogBurned(attempt.RunId, attempt.Number);
    }

    private async Task ConcludeAbsentAsync(
        NpgsqlConnection db, TuningAttempt attempt, CancellationToken cancellationToken)
    {
        await datasets.DeleteAsync(DatasetUri.NameOf(attempt.DatasetUri), generation: null, cancellationToken);
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (!await db.MarkAbsentAsync(attempt.RunId, attempt.Number, cancellationToken))
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

    private async Task AskOperatorAsync(
        NpgsqlConnection db, TuningAttempt attempt, string reason, CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        await db.CountListCheckAsync(attempt.RunId, attempt.Number, cancellationToken);
        var isNew = await db.MarkNeedsOperatorAsync(attempt.RunId, reason, cancellationToken);
        if (isNew && await db.FindRunAsync(attempt.RunId, cancellationToken) is { } run)
        {
            await db.AddAuditEntryAsync(
                run.Scope, Actor, "ask-operator", $"run {run.Id}", reason, time.GetUtcNow(), cancellationToken);
        }

        await tx.CommitAsync(cancellationToken);
        if (isNew)
        {
            LogNeedsOperator(attempt.RunId, reason);
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

    [LoggerMessage(Level = LogLevel.Critical, Message = "Run {RunId} needs an operator: {Reason}")]
    private partial void LogNeedsOperator(RunId runId, string reason);
}
