using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>Starts and cancels runs: row, audit entry and message in one transaction.</summary>
public static class RunRequests
{
    private static readonly TimeSpan CancelDeadline = TimeSpan.FromHours(24);

    // As after an export.
    private static readonly TimeSpan ExportedDeadline = TimeSpan.FromHours(24);

    public static async Task<RunRequestOutcome> RequestRunAsync(
        this NpgsqlConnection db, RunRequest request, DateTimeOffset now, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await db.TryRequestRunAsync(request, now, cancellationToken);
            }
            catch (PostgresException e) when (e.ConstraintName == "one_live_run")
            {
                // Between the refusal and this read the other run may have ended; then the wish is simply made again.
                if (await db.FindLiveRunAsync(request.Scope, request.Purpose, cancellationToken) is { } live)
                {
                    return new RunRequestOutcome.AlreadyRunning(live.Id, live.State);
                }
            }
            catch (PostgresException e) when (e.ConstraintName == "one_version_per_scope")
            {
                // An export and a training of one scope were counted at the same moment; one of them counts again.
            }
        }
    }

    /// <summary>Starts what schedules ask for, in the caller's transaction; a scope with a live run keeps that one.</summary>
    /// <returns>Those of <paramref name="runs"/> that were started.</returns>
    public static async Task<IReadOnlyList<ScheduledRun>> RequestScheduledRunsAsync(
        this NpgsqlConnection db, IReadOnlyList<ScheduledRun> runs, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        if (runs.Count == 0)
        {
            return [];
        }

        var added = (await db.InsertScheduledRunsAsync(runs, now, cancellationToken)).ToHashSet();
        var started = runs.Where(run => added.Contains(run.Id)).ToArray();
        await db.AddStartEntriesAsync(started, now, cancellationToken);
        await db.AddExportRequestsAsync(started, cancellationToken);
        foreach (var run in started)
        {
            PipelineMetrics.RunStarted(run.Scope, RunPurpose.Training, run.Trigger);
        }

        return started;
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
            run.Scope, requestedBy, $"cancel-{run.Purpose}", $"run {id}", reason, now, cancellationToken);
        await db.AddMessageAsync(
            id, Topics.TuningStarted, new TuningStarted(id), MessageJson.Default.TuningStarted, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>
    /// Lets a run go on that waits for a person, up to the sum that it asks for. Only a person does this: a schedule cannot, and
    /// the database takes no other name.
    /// </summary>
    /// <param name="approvedBy">As the audit log names people.</param>
    /// <param name="usd">What the person has seen; null: whatever the run asks for.</param>
    /// <returns>The run as it is now, and whether this approved it: it may not wait any more, or ask for another sum.</returns>
    public static async Task<(Run Run, bool IsApproved)> ApproveRunAsync(
        this NpgsqlConnection db, RunId id, string approvedBy, decimal? usd, string? reason, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var isApproved = await db.MarkApprovedAsync(id, approvedBy, usd, ExportedDeadline, cancellationToken);
        var run = await db.FindRunAsync(id, cancellationToken)
            ?? throw new InvalidOperationException($"run {id} does not exist");
        if (isApproved)
        {
            var sum = FormattableString.Invariant($"{run.ApprovedUsd:0.00##} USD");
            await db.AddAuditEntryAsync(
                run.Scope, approvedBy, "approve-training", $"run {id}", reason is null ? sum : $"{sum}: {reason}", now,
                cancellationToken);
            await db.AddMessageAsync(
                id, Topics.DatasetExported, new DatasetExported(id), MessageJson.Default.DatasetExported, cancellationToken);
            await tx.CommitAsync(cancellationToken);
        }

        return (run, isApproved);
    }

    private static async Task<RunRequestOutcome> TryRequestRunAsync(
        this NpgsqlConnection db, RunRequest request, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var id = RunId.New(now);
        await using var tx = await db.BeginTransactionAsync(cancellationToken);

        // The key before the run: the same request at the same time waits here, and finds this one's run.
        if (request.Key is { } key && !await db.TakeKeyAsync(request, key, id, now, cancellationToken))
        {
            var first = await db.FindAcceptedRequestAsync(request.RequestedBy, key.Value, cancellationToken);
            return first?.RequestSha256.AsSpan().SequenceEqual(key.RequestSha256) == true
                ? new RunRequestOutcome.Accepted(first.RunId, first.CreatedAt, IsRepeat: true)
                : new RunRequestOutcome.KeyReused(first?.RunId);
        }

        var (organization, criteria) = (request.Scope.OrganizationId, request.Parameters.Export);
        if (await db.CheckPiiFloorAsync(organization, criteria, cancellationToken) is { } error)
        {
            return new RunRequestOutcome.BelowFloor(error);
        }

        // Nobody starts a second one at the same time: a scope has one live run, and that one is what is said then.
        if (request.DailyLimit is { } limit && request.Purpose == RunPurpose.Training
            && await db.CountRunsOfDayAsync(request.Scope, now, cancellationToken) is var today
            && today.Refuse(limit) is { } refusal
            && await db.FindLiveRunAsync(request.Scope, request.Purpose, cancellationToken) is null)
        {
            return new RunRequestOutcome.TooMany(today, limit, refusal);
        }

        await db.InsertRunAsync(id, request, now, cancellationToken);
        await db.AddAuditEntryAsync(
            request.Scope, request.RequestedBy, $"start-{request.Purpose}", $"run {id}", reason: null,
            request.Parameters.ToJson(), now, cancellationToken);
        await db.AddMessageAsync(
            id, Topics.ExportRequested, new ExportRequested(id), MessageJson.Default.ExportRequested, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        PipelineMetrics.RunStarted(request.Scope, request.Purpose, request.Trigger);
        return new RunRequestOutcome.Accepted(id, now, IsRepeat: false);
    }
}
