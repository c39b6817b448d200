using System.Data.Common;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>One look at a run's tuning job, and what follows from it.</summary>
internal sealed partial class PollTuningStep(
    NpgsqlDataSource database,
    ITuningService tuning,
    HeldOutEvaluation evaluation,
    ModelRegistration registration,
    OutboxRelay outbox,
    Failpoints failpoints,
    IOptions<TuningOptions> options,
    ILogger<PollTuningStep> logger) : IStep<TuningStarted>
{
    private static readonly string[] Pollable = [RunState.Tuning, RunState.Evaluating, RunState.Cancelling];

    public async Task<StepOutcome> RunAsync(TuningStarted message, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        if (await db.FindRunAsync(message.RunId, cancellationToken) is not { } run)
        {
            return new StepOutcome.Rejected($"run {message.RunId} does not exist");
        }

        if (!Pollable.Contains(run.State))
        {
            return new StepOutcome.AlreadyDone($"run {run.Id} is {run.State}");
        }

        if (await db.ClaimRunAsync(
            run.Id, Pollable, to: null, options.Value.Lease, TimeSpan.Zero, cancellationToken) is not { } claim)
        {
            return new StepOutcome.AlreadyDone($"run {run.Id} is in the hands of another worker");
        }

        try
        {
            await failpoints.ReachAsync(Failpoint.PollClaimed);
            var outcome = await LookAsync(db, claim, cancellationToken);
            await outbox.SendPendingAsync(limit: 10, cancellationToken);
            return outcome;
        }
        catch (Exception e)
        {
            await ReleaseAsync(claim);
            if (IsHopeless(claim) && !cancellationToken.IsCancellationRequested)
            {
                await GiveUpAsync(claim, e, cancellationToken);
            }

            throw;
        }
    }

    private async Task<StepOutcome> LookAsync(NpgsqlConnection db, Run claim, CancellationToken cancellationToken)
    {
        var attempts = await db.ListAttemptsAsync(claim.Id, cancellationToken);
        var attempt = attempts.LastOrDefault(a => a.State is AttemptState.Created || a.IsOpen);
        switch (claim.State, attempt)
        {
            case (RunState.Evaluating, { TuningJob: { } name }):
                return await EvaluateAsync(db, claim, name, cancellationToken);
            case (RunState.Cancelling, null):
                return await EndAsync(db, claim, claim.Reason, cancellationToken);
            case (RunState.Cancelling, { IsOpen: false }):
                return await EndFinishedAsync(db, claim, attempt, cancellationToken);
            case (RunState.Cancelling, { TuningJob: null }):
                return await WaitAsync(
                    db, claim, "its tuning job, if any, is looked for before it may end", cancellationToken);
            case (_, { TuningJob: { } name }):
                return await PollAsync(db, claim, attempt, name, cancellationToken);
            default:
                throw new InvalidOperationException($"run {claim.Id} is {claim.State} without a tuning job");
        }
    }

    private async Task<StepOutcome> PollAsync(
        NpgsqlConnection db, Run claim, TuningAttempt attempt, string name, CancellationToken cancellationToken)
    {
        TuningJob? job;
        try
        {
            job = await tuning.GetAsync(name, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            await PollBlindlyAsync(db, claim, name, e, cancellationToken);
            throw;
        }

        if (job is null)
        {
            return attempt.Age <= options.Value.NotFoundTolerance
                ? await WaitAsync(db, claim, "Vertex AI does not know the new job yet", cancellationToken)
                : await EndJobAsync(
                    db, claim, attempt, $"Vertex AI no longer knows tuning job {name}", cancellationToken);
        }

        if (job.IsTerminal)
        {
            return job.State is TuningJobState.Succeeded or TuningJobState.PartiallySucceeded
                ? await SucceedAsync(db, claim, attempt, job, cancellationToken)
                : await EndJobAsync(
                    db, claim, attempt, $"tuning job {job.StateText}: {job.Error ?? "no reason given"}",
                    cancellationToken);
        }

        if (claim.State == RunState.Cancelling)
        {
            if (job.IsLive)
            {
                await tuning.CancelAsync(name, cancellationToken);
                LogCancelRequested(claim.Id, name);
            }

            return await WaitAsync(db, claim, $"the tuning job is {job.StateText}", cancellationToken);
        }

        if (claim.IsOverdue)
        {
            var reason = $"tuning took longer than {options.Value.TuningDeadline.TotalHours:0} hours";
            await db.MarkCancellingAsync(
                claim.Id, RunState.Failed, reason, options.Value.CancelDeadline, cancellationToken);
            return new StepOutcome.Done($"run {claim.Id} is cancelled: {reason}");
        }

        return await WaitAsync(db, claim, $"the tuning job is {job.StateText}", cancellationToken);
    }

    /// <summary>
    /// A job that cannot be read ends its run all the same: at its deadline it is cancelled, and a job that is
    /// cancelled is asked to stop without a look. At the next deadline a person is asked.
    /// </summary>
    private async Task PollBlindlyAsync(
        NpgsqlConnection db, Run claim, string name, Exception failure, CancellationToken cancellationToken)
    {
        if (claim is { State: RunState.Tuning, IsOverdue: true })
        {
            var reason = $"tuning took longer than {options.Value.TuningDeadline.TotalHours:0} hours, and its job cannot "
                + $"be read: {failure.Message}";
            await db.MarkCancellingAsync(
                claim.Id, RunState.Failed, reason, options.Value.CancelDeadline, cancellationToken);
        }
        else if (claim.State == RunState.Cancelling && await tuning.CancelAsync(name, cancellationToken))
        {
            LogCancelRequested(claim.Id, name);
        }
    }

    private async Task<StepOutcome> SucceedAsync(
        NpgsqlConnection db, Run claim, TuningAttempt attempt, TuningJob job, CancellationToken cancellationToken)
    {
        if (job is not { Model: not null, Endpoint: not null })
        {
            return await EndJobAsync(
                db, claim, attempt, $"tuning job {job.StateText} without an endpoint", cancellationToken);
        }

        if (claim.State == RunState.Cancelling)
        {
            return await RevokeAsync(db, claim, attempt, job, cancellationToken);
        }

        await using (var tx = await db.BeginTransactionAsync(cancellationToken))
        {
            await db.MarkJobEndedAsync(claim.Id, attempt.Number, cancellationToken);
            if (!await db.MoveAsync(
                claim, RunState.Evaluating, reason: null, options.Value.EvaluatingDeadline, cancellationToken))
            {
                return new StepOutcome.AlreadyDone($"run {claim.Id} moved on meanwhile");
            }

            // In a delivery of its own: an evaluation takes minutes, and a sweep has other runs to look at.
            await db.AddMessageAsync(
                claim.Id, Topics.TuningStarted, new TuningStarted(claim.Id), MessageJson.Default.TuningStarted,
                cancellationToken);
            await tx.CommitAsync(cancellationToken);
        }

        await failpoints.ReachAsync(Failpoint.JobEndRecorded);
        return new StepOutcome.Done($"run {claim.Id}: the tuning job is done, and its model is evaluated next");
    }

    /// <summary>Cancelled between the end of its job and the registration of its model.</summary>
    private async Task<StepOutcome> EndFinishedAsync(
        NpgsqlConnection db, Run claim, TuningAttempt attempt, CancellationToken cancellationToken) =>
        attempt.TuningJob is { } name
        && await tuning.GetAsync(name, cancellationToken) is { Model: not null, Endpoint: not null } job
            ? await RevokeAsync(db, claim, attempt, job, cancellationToken)
            : await EndAsync(db, claim, claim.Reason, cancellationToken);

    private async Task<StepOutcome> RevokeAsync(
        NpgsqlConnection db, Run claim, TuningAttempt attempt, TuningJob job, CancellationToken cancellationToken)
    {
        await db.MarkJobEndedAsync(claim.Id, attempt.Number, cancellationToken);
        await registration.RevokeAsync(db, claim, job, cancellationToken);
        return await EndAsync(
            db, claim, $"{claim.Reason} (the job finished before the cancellation)", cancellationToken);
    }

    /// <summary>The new model is registered, compared with what it would replace, and goes live or is kept back.</summary>
    private async Task<StepOutcome> EvaluateAsync(
        NpgsqlConnection db, Run claim, string name, CancellationToken cancellationToken)
    {
        // Once it is registered, its row is enough: Vertex keeps jobs for a limited time.
        var candidate = await db.FindModelAsync(claim.Id, cancellationToken) is { VertexEndpoint: not null } known
            ? known
            : await registration.RegisterAsync(
                db, claim,
                await tuning.GetAsync(name, cancellationToken)
                    ?? throw new InvalidOperationException($"Vertex AI does not know tuning job {name}, which succeeded"),
                cancellationToken);
        switch (await evaluation.RunAsync(db, claim, candidate, cancellationToken))
        {
            case EvaluationProgress.Unfinished unfinished:
                return await GoOnLaterAsync(db, claim, unfinished, cancellationToken);
            case EvaluationProgress.Finished finished
                when await registration.EndAsync(db, claim, candidate, finished, cancellationToken) is { } outcome:
                await failpoints.ReachAsync(Failpoint.ModelRegistered);
                return new StepOutcome.Done($"run {claim.Id} succeeded with endpoint {candidate.VertexEndpoint}: {outcome}");
            default:
                return new StepOutcome.AlreadyDone($"run {claim.Id} moved on meanwhile");
        }
    }

    private static async Task<StepOutcome> GoOnLaterAsync(
        NpgsqlConnection db, Run claim, EvaluationProgress.Unfinished unfinished, CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (!await db.PostponeAsync(
            claim, claim.State, unfinished.Delay, unfinished.Why, cancellationToken, unfinished.Deadline))
        {
            return new StepOutcome.AlreadyDone($"run {claim.Id} moved on meanwhile");
        }

        if (unfinished.Delay == TimeSpan.Zero)
        {
            await db.AddMessageAsync(
                claim.Id, Topics.TuningStarted, new TuningStarted(claim.Id), MessageJson.Default.TuningStarted,
                cancellationToken);
        }

        await tx.CommitAsync(cancellationToken);
        return new StepOutcome.Done($"run {claim.Id}: {unfinished.Why}");
    }

    /// <summary>The job is over and left no model: the run ends too.</summary>
    private static async Task<StepOutcome> EndJobAsync(
        NpgsqlConnection db, Run claim, TuningAttempt attempt, string reason, CancellationToken cancellationToken)
    {
        await db.MarkJobEndedAsync(claim.Id, attempt.Number, cancellationToken);
        var isCancelled = claim.State == RunState.Cancelling;
        return await EndAsync(db, claim, isCancelled ? claim.Reason : reason, cancellationToken);
    }

    /// <summary>No job lives: a cancelled run ends as it was asked to, any other one fails.</summary>
    private static async Task<StepOutcome> EndAsync(
        NpgsqlConnection db, Run claim, string? reason, CancellationToken cancellationToken)
    {
        var (endsAs, why) = (claim.EndsAs ?? RunState.Failed, reason ?? "no reason given");
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (!await db.MoveAsync(claim, endsAs, why, TimeSpan.Zero, cancellationToken))
        {
            return new StepOutcome.AlreadyDone($"run {claim.Id} moved on meanwhile");
        }

        await db.MarkModelFailedAsync(claim.Id, why, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return new StepOutcome.Skipped($"run {claim.Id} {endsAs}: {why}");
    }

    private async Task<StepOutcome> WaitAsync(
        NpgsqlConnection db, Run claim, string why, CancellationToken cancellationToken)
    {
        await db.SetNextPollAsync(claim, options.Value.PollDelay(claim.PollCount), cancellationToken);
        return new StepOutcome.Done($"run {claim.Id}: {why}");
    }

    private bool IsHopeless(Run claim) =>
        claim is { State: RunState.Evaluating, IsOverdue: true } && claim.StepAttempts >= options.Value.MaxStepAttempts;

    // Its time is over, and look after look fails before it can decide: as good as a job that cannot be read.
    private async Task GiveUpAsync(Run claim, Exception failure, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await db.MarkCancellingAsync(
            claim.Id, RunState.Failed,
            $"its evaluation could not be ended in {claim.StepAttempts} tries: {failure.Message}",
            options.Value.CancelDeadline, cancellationToken);
    }

    private async Task ReleaseAsync(Run claim)
    {
        try
        {
            await using var db = await database.OpenConnectionAsync(CancellationToken.None);
            await db.ReleaseAsync(claim, reason: null, CancellationToken.None);
        }
        catch (DbException e)
        {
            LogNotReleased(e, claim.Id);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Run {RunId}: tuning job {Job} asked to stop")]
    private partial void LogCancelRequested(RunId runId, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId} keeps its lease until it runs out")]
    private partial void LogNotReleased(Exception exception, RunId runId);
}
