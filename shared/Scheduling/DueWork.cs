using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;

namespace FeedbackLoop.Scheduling;

/// <summary>Whether a schedule starts a training now. Decides and does nothing else: no clock, no database, no logger.</summary>
public static class DueWork
{
    /// <summary>A slot that is older is let go by: nobody expects last week's training today.</summary>
    public static readonly TimeSpan MaxLateness = TimeSpan.FromHours(24);

    /// <summary>After its first, second and third failure a run is repeated so much later.</summary>
    public static readonly IReadOnlyList<TimeSpan> RetryDelays =
        [TimeSpan.FromHours(1), TimeSpan.FromHours(4), TimeSpan.FromHours(16)];

    /// <summary>
    /// How soon a schedule is looked at again that waits for more than a slot. Shorter than the hour between two ticks, so
    /// that each tick finds it; longer than the time between a tick and its second delivery.
    /// </summary>
    public static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(30);

    /// <param name="retrainingLimit">Most retrainings of an organization's projects at once.</param>
    public static DueDecision Decide(Schedule schedule, DueFacts facts, int retrainingLimit, DateTimeOffset now) =>
        (DecideFreely(schedule, facts, retrainingLimit, now), facts.Hold) switch
        {
            (DueDecision.Due { Slot: { } slot } due, { } hold) =>
                new DueDecision.Skipped(slot, $"{due.Reason}: {hold}"),

            // What is no slot stays due, and begins when nothing holds it any more.
            (DueDecision.Due due, { } hold) => new DueDecision.NotDue($"not now: {hold}; otherwise because of {due.Reason}"),
            (DueDecision.Due due, null) when facts.GeneralRun is { } general && GeneralTraining.IsOnItsWay(general.State) =>
                new DueDecision.Waiting(
                    $"{due.Reason}; waits for the general model, which is being trained: run {general.Id} is {general.State}",
                    due.Slot),
            var (decision, _) => decision,
        };

    private static DueDecision DecideFreely(
        Schedule schedule, DueFacts facts, int retrainingLimit, DateTimeOffset now)
    {
        var missed = MissedSlots(schedule, now);
        if (facts.IsDeleted)
        {
            return Without(missed, "the project or its organization is deleted");
        }

        if (facts.LiveRun is { } live)
        {
            return Without(missed, $"not now: run {live.Id} is {live.State}");
        }

        if (missed is not null && now - missed.Latest <= MaxLateness)
        {
            return new DueDecision.Due(RunTrigger.Cron, missed.Latest, SlotInWords(schedule, missed));
        }

        if (Retry(schedule, facts, now) is { } retry)
        {
            return retry is DueDecision.NotDue ? Without(missed, retry.Reason) : retry;
        }

        if (Renewal(schedule, facts, retrainingLimit, now) is { } renewal)
        {
            return renewal is DueDecision.Waiting ? Without(missed, renewal.Reason, isWaiting: true) : renewal;
        }

        var (isReached, examples) = Threshold(schedule, facts, now);
        if (isReached)
        {
            return new DueDecision.Due(RunTrigger.Threshold, Slot: null, examples!);
        }

        return missed is null
            ? new DueDecision.NotDue(string.Join("; ", Reasons(schedule, examples, now)))
            : new DueDecision.Skipped(
                missed.Latest,
                FormattableString.Invariant(
                    $"{SlotInWords(schedule, missed)} is {(now - missed.Latest).TotalHours:0} hours ago; ")
                + FormattableString.Invariant($"a training starts at most {MaxLateness.TotalHours:0} hours late"));
    }

    /// <summary>The row's tracking after a decision was carried out.</summary>
    /// <param name="started">The run that came of it, if one did.</param>
    public static Schedule After(
        Schedule schedule, DueFacts facts, DueDecision decision, RunId? started, DateTimeOffset now)
    {
        var next = schedule with
        {
            // A slot that waits is still to come, until it is too late for it.
            NextScheduledAt = decision is DueDecision.Waiting { Slot: not null }
                ? schedule.NextScheduledAt
                : NextSlot(schedule, now),
            LastTrainingAt = facts.LastSuccessAt ?? schedule.LastTrainingAt,
            LastExampleCount = facts.LastExampleCount ?? schedule.LastExampleCount,
            LastDecision = OutcomeOf(decision, started),
            LastDecisionReason = decision.Reason,
            LastDecisionAt = now,
        };
        if (decision is DueDecision.Due due && started is { } run)
        {
            next = next with
            {
                OpenRunId = run,
                Retries = due.Trigger == RunTrigger.Retry ? schedule.Retries + 1 : 0,
                TriedExamples = due.Trigger == RunTrigger.Threshold ? Counted(facts) : schedule.TriedExamples,
                TriedAt = due.Trigger == RunTrigger.Threshold ? now : schedule.TriedAt,

                // Whatever started it, it is tuned on top of this model.
                AnsweredModelId = facts.GeneralModel?.Id ?? schedule.AnsweredModelId,
            };
        }
        else if (decision is DueDecision.GaveUp
            || (schedule.OpenRunId is not null && IsSettled(facts)))
        {
            next = next with { OpenRunId = null, Retries = 0 };
        }

        return next with { NextCheckAt = NextCheck(next, facts, decision, now) };
    }

    private static MissedSlots? MissedSlots(Schedule schedule, DateTimeOffset now) =>
        schedule.HasCron && schedule.NextScheduledAt is { } first && first <= now
            ? CronTimes.Find(schedule.CronExpression, schedule.TimeZone)?.LatestMissed(first, now)
            : null;

    /// <summary>Null: no run is waiting to be repeated.</summary>
    private static DueDecision? Retry(Schedule schedule, DueFacts facts, DateTimeOffset now)
    {
        if (schedule.OpenRunId is null
            || facts.OpenRun is not { State: RunState.Failed, EndedAt: { } endedAt } failed
            || facts.LastSuccessAt > endedAt)
        {
            return null;
        }

        if (schedule.Retries >= RetryDelays.Count)
        {
            return new DueDecision.GaveUp(
                failed.Id,
                $"run {failed.Id} failed, the last of {RetryDelays.Count} repeats: {failed.Reason}");
        }

        var repeatAt = endedAt + RetryDelays[schedule.Retries];
        var which = $"repeat {schedule.Retries + 1} of {RetryDelays.Count}";
        return repeatAt <= now
            ? new DueDecision.Due(RunTrigger.Retry, Slot: null, $"{which} after run {failed.Id} failed: {failed.Reason}")
            : new DueDecision.NotDue(
                FormattableString.Invariant(
                    $"{which} is due at {repeatAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC, after run {failed.Id} failed: ")
                + failed.Reason);
    }

    /// <summary>Null: there is no new general model to train on, or nobody wants that.</summary>
    private static DueDecision? Renewal(
        Schedule schedule, DueFacts facts, int retrainingLimit, DateTimeOffset now)
    {
        if (schedule.ProjectId is null || facts.GeneralModel is not { } model)
        {
            return null;
        }

        // A run that was refused its money has answered nothing, unless another one has since the model is there.
        var isAnswered = model.Id == schedule.AnsweredModelId || facts.LastRunCreatedAt >= model.FirstPromotedAt;
        var isRefused = MaySpendAgain(facts, now) && !(facts.LastSuccessAt >= model.FirstPromotedAt);
        if (isAnswered && !isRefused)
        {
            return null;
        }

        var wantedByProject =
            schedule is { Enabled: true, RetrainOnGeneralUpdate: true } && schedule.ActiveSince <= model.FirstPromotedAt;
        var wantedByOrganization = facts.HasModel && facts.OrganizationRetrainsSince <= model.FirstPromotedAt;
        if (!wantedByProject && !wantedByOrganization)
        {
            return null;
        }

        return facts.RetrainingsRunning < retrainingLimit
            ? new DueDecision.Due(RunTrigger.GeneralUpdate, Slot: null, $"the general model {model.Id} is new")
            : new DueDecision.Waiting(
                $"the general model {model.Id} is new; waits, because {facts.RetrainingsRunning} of "
                + $"{retrainingLimit} retrainings of the organization are running");
    }

    // A threshold run that came to nothing is not tried again with the same examples: as many new ones must come again.
    private static (bool IsReached, string? InWords) Threshold(
        Schedule schedule, DueFacts facts, DateTimeOffset now)
    {
        if (schedule is not { Enabled: true, ThresholdEnabled: true })
        {
            return (false, null);
        }

        if (facts.NewExamples is not { } count)
        {
            return (false, "the examples are not counted yet");
        }

        var isTried = schedule.TriedAt is { } triedAt && !(facts.LastSuccessAt > triedAt) && !MaySpendAgain(facts, now);
        var tried = isTried ? schedule.TriedExamples ?? 0 : 0;
        var fresh = Math.Max(0, count - tried);
        var words = $"{fresh} of {schedule.ThresholdCount} new examples";
        return (fresh >= schedule.ThresholdCount,
            tried == 0 ? words : $"{words}, beside {tried} that the last run began with");
    }

    // What a limit refused is tried again in the next month, and what a stop refused when that is over: nothing else would
    // bring it back.
    private static bool MaySpendAgain(DueFacts facts, DateTimeOffset now) =>
        facts.RefusedSpendingAt is { } refused
        && (facts.SpendingResumedAt > refused || MonthOf(now).CompareTo(MonthOf(refused)) > 0);

    private static (int Year, int Month) MonthOf(DateTimeOffset moment) =>
        (moment.UtcDateTime.Year, moment.UtcDateTime.Month);

    private static IEnumerable<string> Reasons(Schedule schedule, string? examples, DateTimeOffset now)
    {
        if (!schedule.Enabled)
        {
            yield return "the schedule is switched off";
            yield break;
        }

        if (examples is not null)
        {
            yield return examples;
        }

        if (schedule.CronEnabled)
        {
            yield return CronTimes.Find(schedule.CronExpression, schedule.TimeZone) is not { } times
                ? $"'{schedule.CronExpression}' in {schedule.TimeZone} cannot be read"
                : (schedule.NextScheduledAt > now ? schedule.NextScheduledAt : times.NextAfter(now)) is { } next
                    ? $"the next slot is {times.InWords(next)}"
                    : "there is no next slot";
        }

        if (schedule.RetrainOnGeneralUpdate)
        {
            yield return "no new general model";
        }

        if (schedule is { ThresholdEnabled: false, CronEnabled: false, RetrainOnGeneralUpdate: false })
        {
            yield return "nothing that starts a training is switched on";
        }
    }

    private static string SlotInWords(Schedule schedule, MissedSlots missed)
    {
        var slot = CronTimes.Find(schedule.CronExpression, schedule.TimeZone)!.InWords(missed.Latest); // it made the slot
        return missed.Earlier switch
        {
            0 => slot,
            1 => $"{slot}, and one before it that was missed",
            _ => $"{slot}, and {missed.Earlier} before it that were missed",
        };
    }

    private static DueDecision Without(MissedSlots? missed, string reason, bool isWaiting = false) =>
        missed is not null ? new DueDecision.Skipped(missed.Latest, reason)
        : isWaiting ? new DueDecision.Waiting(reason)
        : new DueDecision.NotDue(reason);

    // A success of whatever origin is what the repeats were for.
    private static bool IsSettled(DueFacts facts) => facts.OpenRun switch
    {
        null or { State: RunState.Succeeded or RunState.Skipped or RunState.Cancelled } => true,
        { State: RunState.Failed, EndedAt: { } endedAt } => facts.LastSuccessAt > endedAt,
        _ => false,
    };

    /// <summary>Only ever forward: a clock that goes back finds a slot that is still to come.</summary>
    private static DateTimeOffset? NextSlot(Schedule schedule, DateTimeOffset now) =>
        !schedule.HasCron || schedule.NextScheduledAt > now
            ? schedule.NextScheduledAt
            : CronTimes.Find(schedule.CronExpression, schedule.TimeZone)?.NextAfter(now) ?? schedule.NextScheduledAt;

    private static DateTimeOffset? NextCheck(
        Schedule schedule, DueFacts facts, DueDecision decision, DateTimeOffset now)
    {
        if (facts.IsDeleted)
        {
            return null;
        }

        var isWatching = schedule.OpenRunId is not null
            || decision is DueDecision.Waiting
            || (schedule.Enabled && (schedule.ThresholdEnabled || schedule.RetrainOnGeneralUpdate))
            || facts.OrganizationRetrainsSince is not null;
        DateTimeOffset? check = isWatching ? now + CheckInterval : null;
        var slot = schedule.HasCron ? schedule.NextScheduledAt ?? now + MaxLateness : (DateTimeOffset?)null;
        return check is null || slot < check ? Later(slot, now) : check;
    }

    // A slot whose expression cannot be read any more stays where it is, and is not looked at all the time.
    private static DateTimeOffset? Later(DateTimeOffset? slot, DateTimeOffset now) =>
        slot <= now ? now + CheckInterval : slot;

    private static int Counted(DueFacts facts) => (int)Math.Min(facts.NewExamples ?? 0, int.MaxValue);

    private static string OutcomeOf(DueDecision decision, RunId? started) => decision switch
    {
        DueDecision.Due when started is not null => ScheduleOutcome.Started,
        DueDecision.Waiting => ScheduleOutcome.Waiting,
        DueDecision.NotDue => ScheduleOutcome.NotDue,
        DueDecision.Skipped => ScheduleOutcome.Skipped,
        DueDecision.GaveUp => ScheduleOutcome.GaveUp,
        _ => throw new InvalidOperationException($"a decision without an outcome: {decision}"),
    };
}
