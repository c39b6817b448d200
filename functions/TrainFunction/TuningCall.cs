using System.Data.Common;
using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Train;

/// <summary>One recorded intent, at most one call, one recorded answer: what keeps us from paying twice.</summary>
internal sealed partial class TuningCall(
    NpgsqlDataSource database,
    ITuningService tuning,
    Failpoints failpoints,
    TimeProvider time,
    Random random,
    IOptions<TuningOptions> options,
    SpendingTerms terms,
    ILogger<TuningCall> logger)
{
    /// <param name="claim">In <c>exported</c> or <c>create_unknown</c>, with a lease that runs.</param>
    /// <param name="estimateUsd">What the job is expected to cost; null: its base model has no price.</param>
    /// <param name="file">The attempt's own copy of train.jsonl.</param>
    /// <param name="look">The whole list, begun after every earlier attempt of the run was settled.</param>
    public async Task<StepOutcome> MakeAsync(
        NpgsqlConnection db, Run claim, Dataset dataset, TuningPlan plan, decimal? estimateUsd, StoredFile file,
        JobLook.Whole look, int number, CancellationToken cancellationToken)
    {
        var token = await tuning.MintTokenAsync(cancellationToken);
        var request = TuningRequest.Build(tuning.Target, claim, dataset, plan, file.Uri, number);
        var intent = new TuningIntent(
            claim.Id, claim.OrganizationId, number, tuning.Target.Parent, TuningRequest.RunLabel(claim.Id), file.Uri,
            file.Generation, plan, estimateUsd, TuningRequest.Hash(request), token.ExpiresAt)
        {
            ListedFrom = look.ListedFrom,
        };

        // Both clocks start before the intent is written: the monotonic one stands still while a machine is frozen.
        var (started, startedAt) = (time.GetTimestamp(), time.GetUtcNow());
        var isSent = false;
        try
        {
            if (await RecordIntentAsync(db, claim, intent, cancellationToken) is { } ended)
            {
                return ended;
            }

            await failpoints.ReachAsync(Failpoint.IntentRecorded);
            var attempts = await db.ListAttemptsAsync(claim.Id, cancellationToken);
            switch (JobMatch.Find(look.Jobs, tuning.Target.Environment, claim.Id, attempts))
            {
                case JobMatch.Found found:
                    return await RecordJobAsync(db, claim, number, found.Job, found.Intended, cancellationToken);
                case JobMatch.Stranger stranger:
                    return await RecordRefusalAsync(
                        db, claim, number, "stranger",
                        new RefusalDecision.Fail(
                            $"tuning job {stranger.Job.Name} has this run's label, but {stranger.Problem}"));
            }

            // The last look before money is spent: somebody may have cancelled the run.
            var creating = claim with { State = RunState.Creating };
            if (!await db.ExtendLeaseAsync(creating, options.Value.Lease, progressJson: null, cancellationToken))
            {
                await AbandonAsync(claim, number, "not sent: the run was cancelled, or its lease ran out");
                return new StepOutcome.AlreadyDone($"run {claim.Id} moved on before its call");
            }

            var pause = Longest(time.GetElapsedTime(started), time.GetUtcNow() - startedAt);
            if (pause > options.Value.LongestPauseBeforeCall || cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"not sent: {pause.TotalSeconds:0} s passed between intent and call");
            }

            isSent = true;
            var answer = await tuning.CreateAsync(request, token);
            await failpoints.ReachAsync(Failpoint.JobCreated);
            return await RecordAnswerAsync(db, claim, number, attempts, answer);
        }
        catch (Exception e) when (!isSent)
        {
            await AbandonAsync(claim, number, e.Message);
            throw;
        }
    }

    // The intent is also the reservation of its cost: whoever comes next finds it in the month's sum.
    private async Task<StepOutcome?> RecordIntentAsync(
        NpgsqlConnection db, Run claim, TuningIntent intent, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        await db.LockSpendingAsync(claim.OrganizationId, cancellationToken);
        var refusal = SpendingRule.Refuse(
            await db.FindSpendingStopAsync(cancellationToken),
            await db.ReadSpendingAsync(claim.OrganizationId, terms, now, cancellationToken),
            intent.EstimatedCostUsd, intent.Plan.BaseModel);
        if (refusal is not null)
        {
            var isSkipped = await db.MoveAsync(claim, RunState.Skipped, refusal, TimeSpan.Zero, cancellationToken);
            if (isSkipped)
            {
                await db.NotifyAdminsAsync(
                    [new AdminNotice(claim.Scope, "Training skipped", Sentence(refusal), "warning", claim.Id)], now,
                    cancellationToken);
            }

            await tx.CommitAsync(cancellationToken);
            return isSkipped
                ? new StepOutcome.Skipped($"run {claim.Id} skipped: {refusal}")
                : new StepOutcome.AlreadyDone($"run {claim.Id} moved on meanwhile");
        }

        if (intent.EstimatedCostUsd is { } estimate && ApprovalRule.Ask(
            estimate, await db.FindLastEstimateAsync(claim, cancellationToken), claim.ApprovedUsd, terms.Options)
            is { } question)
        {
            var isAsked = await AskAsync(db, claim, estimate, question, now, cancellationToken);
            await tx.CommitAsync(cancellationToken);
            return isAsked
                ? new StepOutcome.Done($"run {claim.Id} waits for an approval: {question}")
                : new StepOutcome.AlreadyDone($"run {claim.Id} moved on meanwhile");
        }

        if (!await db.MarkCreatingAsync(claim, options.Value.Lease, cancellationToken))
        {
            return new StepOutcome.AlreadyDone($"run {claim.Id} went to another worker before its call");
        }

        await db.InsertAttemptAsync(intent, options.Value.QuietTime, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return null;
    }

    private async Task<bool> AskAsync(
        NpgsqlConnection db, Run claim, decimal estimate, string question, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        var patience = terms.Options.ApprovalTime;
        if (!await db.MarkAwaitingApprovalAsync(claim, estimate, question, patience, cancellationToken))
        {
            return false;
        }

        var until = FormattableString.Invariant($"{(now + patience).UtcDateTime:yyyy-MM-dd HH:mm} UTC");
        await db.NotifyAdminsAsync(
            [
                new AdminNotice(
                    claim.Scope, "A training waits for your approval",
                    $"{Sentence(question)} Approve or cancel it on its page. Without an approval it is skipped on {until}.",
                    "warning", claim.Id),
            ],
            now, cancellationToken);
        return true;
    }

    // From here on nothing is cancelled: the answer is worth more than the request that asked for it.
    private async Task<StepOutcome> RecordAnswerAsync(
        NpgsqlConnection db, Run claim, int number, IReadOnlyList<TuningAttempt> attempts, TuningAnswer answer)
    {
        switch (answer)
        {
            case TuningAnswer.Created created:
                return await RecordJobAsync(
                    db, claim, number, created.Job, attempts.Single(attempt => attempt.Number == number),
                    CancellationToken.None);
            case TuningAnswer.Unknown unknown:
                return await RecordUnknownAsync(db, claim, number, unknown);
            case TuningAnswer.Refused or TuningAnswer.NotSent:
                var earlier = attempts
                    .Where(attempt => attempt.State == AttemptState.Rejected)
                    .Select(attempt => attempt.StatusCode)
                    .ToList();
                var decision = RefusalRule.Decide(
                    answer, earlier, options.Value.MaxRefusals, claim.IsOverdue, random.NextDouble());
                var code = answer is TuningAnswer.Refused refused ? refused.Code.ToString() : "not_sent";
                return await RecordRefusalAsync(db, claim, number, code, decision);
            default:
                throw new InvalidOperationException($"unknown answer {answer}");
        }
    }

    private async Task<StepOutcome> RecordJobAsync(
        NpgsqlConnection db, Run claim, int number, TuningJob job, TuningAttempt intended,
        CancellationToken cancellationToken)
    {
        if (!await db.RecordJobAsync(
            claim.Id, number, intended.BaseModel, intended.ParentModelId, job, options.Value, cancellationToken))
        {
            // The sweep adopted it meanwhile, or gave the attempt up; then its duplicate search stops the job.
            LogSettledByOthers(claim.Id, number, job.Name);
            return new StepOutcome.AlreadyDone($"attempt {number} of run {claim.Id} was settled meanwhile");
        }

        return new StepOutcome.Done($"run {claim.Id}: tuning job {job.Name}");
    }

    private async Task<StepOutcome> RecordUnknownAsync(
        NpgsqlConnection db, Run claim, int number, TuningAnswer.Unknown unknown)
    {
        await using var tx = await db.BeginTransactionAsync(CancellationToken.None);
        await db.MarkUnknownAsync(claim.Id, number, unknown.Code, unknown.Detail, CancellationToken.None);
        var reason = $"Vertex AI gave no clear answer ({unknown.Code}: {unknown.Detail}); looking for the job";
        await db.MarkCreateUnknownAsync(claim.Id, reason, CancellationToken.None);
        await tx.CommitAsync(CancellationToken.None);
        LogUnknown(claim.Id, number, unknown.Code, unknown.Detail);
        return new StepOutcome.Done($"run {claim.Id}: no answer, the sweep looks for the job");
    }

    private static async Task<StepOutcome> RecordRefusalAsync(
        NpgsqlConnection db, Run claim, int number, string code, RefusalDecision decision)
    {
        var (reason, delay) = decision switch
        {
            RefusalDecision.Fail fail => (fail.Reason, (TimeSpan?)null),
            RefusalDecision.WaitFor wait => (wait.Reason, wait.Delay),
            _ => throw new InvalidOperationException($"unknown decision {decision}"),
        };
        var creating = claim with { State = RunState.Creating };
        await using var tx = await db.BeginTransactionAsync(CancellationToken.None);
        if (!await db.MarkRejectedAsync(claim.Id, number, code, reason, CancellationToken.None))
        {
            return new StepOutcome.AlreadyDone($"attempt {number} of run {claim.Id} was settled meanwhile");
        }

        // A run that is being cancelled stays so; without an open attempt its end is near.
        var isMoved = delay is { } pause
            ? await db.PostponeAsync(creating, RunState.Exported, pause, reason, CancellationToken.None)
            : await db.MoveAsync(creating, RunState.Failed, reason, TimeSpan.Zero, CancellationToken.None);
        await tx.CommitAsync(CancellationToken.None);
        return (isMoved, delay) switch
        {
            (false, _) => new StepOutcome.AlreadyDone($"run {claim.Id} moved on meanwhile"),
            (true, { } wait) => new StepOutcome.Done($"run {claim.Id} waits {wait.TotalSeconds:0} s: {reason}"),
            _ => new StepOutcome.Skipped($"run {claim.Id} failed: {reason}"),
        };
    }

    // Surely not sent, so nothing has to be looked for. Also settles a commit of the intent whose answer was lost: the row
    // is there or it is not. If this fails too, the sweep takes the long way.
    private async Task AbandonAsync(Run claim, int number, string reason)
    {
        try
        {
            await using var db = await database.OpenConnectionAsync(CancellationToken.None);
            await using var tx = await db.BeginTransactionAsync(CancellationToken.None);
            if (await db.MarkRejectedAsync(claim.Id, number, "not_sent", reason, CancellationToken.None))
            {
                await db.ReturnToExportedAsync(claim.Id, claim.Epoch, reason, CancellationToken.None);
            }

            await tx.CommitAsync(CancellationToken.None);
        }
        catch (DbException e)
        {
            LogNotAbandoned(e, claim.Id, number);
        }
    }

    private static string Sentence(string words) => $"{char.ToUpperInvariant(words[0])}{words[1..]}.";

    private static TimeSpan Longest(TimeSpan one, TimeSpan other) => one > other ? one : other;

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Run {RunId}: attempt {Attempt} has no answer, {Code}: {Detail}")]
    private partial void LogUnknown(RunId runId, int attempt, string code, string detail);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Run {RunId}: attempt {Attempt} was settled by others while tuning job {Job} was made for it")]
    private partial void LogSettledByOthers(RunId runId, int attempt, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId}: attempt {Attempt} is left to the sweep")]
    private partial void LogNotAbandoned(Exception exception, RunId runId, int attempt);
}
