using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>What came of a wish to train.</summary>
public abstract record RunRequestOutcome
{
    private RunRequestOutcome()
    {
    }

    public sealed record Accepted(RunId RunId) : RunRequestOutcome;

    /// <summary>The scope has a run that is not over.</summary>
    public sealed record AlreadyRunning(RunId RunId, string State) : RunRequestOutcome;
}

/// <summary>Starts and cancels runs: row, audit entry and message in one transaction.</summary>
public static class RunRequests
{
    private static readonly TimeSpan CancelDeadline = TimeSpan.FromHours(24);

    public static async Task<RunRequestOutcome> RequestRunAsync(
        this NpgsqlConnection db, Scope scope, string trigger, string requestedBy, RunParameters parameters,
        DateTimeOffset now, CancellationToken cancellationToken)
    {
        var id = RunId.New(now);
        try
        {
            await using var tx = await db.BeginTransactionAsync(cancellationToken);
            await db.InsertRunAsync(id, scope, trigger, requestedBy, parameters, now, cancellationToken);
            await db.AddAuditEntryAsync(
                scope, requestedBy, "start-training", $"run {id}", reason: null, now, cancellationToken);
            await db.AddMessageAsync(
                id, Topics.ExportRequested, new ExportRequested(id), MessageJson.Default.ExportRequested,
                cancellationToken);
            await tx.CommitAsync(cancellationToken);
            return new RunRequestOutcome.Accepted(id);
        }
        catch (PostgresException e) when (e.ConstraintName == "one_live_run")
        {
            // Between the refusal and this read the other run may have ended; then the wish is simply made again.
            return await db.FindLiveRunAsync(scope, cancellationToken) is { } live
                ? new RunRequestOutcome.AlreadyRunning(live.Id, live.State)
                : await db.RequestRunAsync(scope, trigger, requestedBy, parameters, now, cancellationToken);
        }
    }

    /// <summary>
    /// Asks a live run to end. One without a tuning job ends at its next look; a job is cancelled at Vertex first, which may
    /// come too late: then the run still ends as cancelled, and its model is not promoted.
    /// </summary>
    /// <returns>False when the run is over, or rests with an operator.</returns>
    public static async Task<bool> RequestCancelAsync(
        this NpgsqlConnection db, RunId id, string requestedBy, string reason, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (!await db.MarkCancellingAsync(id, RunState.Cancelled, reason, CancelDeadline, cancellationToken))
        {
            return false;
        }

        var run = await db.FindRunAsync(id, cancellationToken)
            ?? throw new InvalidOperationException($"run {id} vanished inside its own transaction");
        await db.AddAuditEntryAsync(
            run.Scope, requestedBy, "cancel-training", $"run {id}", reason, now, cancellationToken);
        await db.AddMessageAsync(
            id, Topics.TuningStarted, new TuningStarted(id), MessageJson.Default.TuningStarted, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return true;
    }
}
