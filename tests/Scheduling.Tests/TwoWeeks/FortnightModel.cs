using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling.Tests.TwoWeeks;

/// <summary>What a look at a schedule must have come to.</summary>
/// <param name="Reason">How its words begin, or "" where they do not matter.</param>
internal sealed record Expected(string Outcome, string? Trigger = null, DateTimeOffset? Slot = null, string Reason = "");

/// <summary>
/// What should have been decided, told from the history alone – what people set, which runs there were, which examples came –
/// and not from what the product keeps from one look to the next.
/// </summary>
internal sealed class FortnightModel
{
    private static readonly TimeSpan[] RepeatsAfter =
        [TimeSpan.FromHours(1), TimeSpan.FromHours(4), TimeSpan.FromHours(16)];

    private const string ForGeneralModel = "waits for the general model, which is being trained";

    private readonly ILookup<Scope, RecordedRun> _runs;
    private readonly Dictionary<Scope, SimulatedSchedule> _schedules;
    private readonly ILookup<Guid, RecordedLook> _looks;
    private readonly Dictionary<Guid, DateTimeOffset[]> _examplesOf;
    private readonly Dictionary<Guid, DateTimeOffset[]> _examplesOfAll;

    public FortnightModel(Fortnight fortnight, FortnightRecord record)
    {
        _runs = record.Runs.ToLookup(run => run.Scope);
        _schedules = fortnight.Schedules.ToDictionary(schedule => schedule.Scope);
        _looks = record.Looks.ToLookup(look => look.ScheduleId);
        var organizationOf = fortnight.Schedules
            .Where(schedule => schedule.Scope.ProjectId is not null)
            .ToDictionary(schedule => schedule.Scope.ProjectId!.Value, schedule => schedule.Scope.OrganizationId); // filtered
        _examplesOf = Times(fortnight.Examples.GroupBy(example => example.Project, example => example.At));
        _examplesOfAll = Times(fortnight.Examples.GroupBy(example => organizationOf[example.Project], example => example.At));
    }

    public IEnumerable<RecordedRun> RunsOf(SimulatedSchedule schedule) => _runs[schedule.Scope];

    /// <summary>Slots that have come since the last look, or since the times are what they are.</summary>
    public static IReadOnlyList<DateTimeOffset> Missed(
        SimulatedSchedule schedule, DateTimeOffset at, DateTimeOffset? lastLook)
    {
        if (schedule.At(at).ActiveTimes is not { } times)
        {
            return [];
        }

        var since = schedule.Since(at, change => change.ActiveTimes);
        return [.. times.Between(lastLook > since ? lastLook.Value : since, at)];
    }

    /// <summary>Whether a look left its slots to a later one.</summary>
    public static bool KeepsSlots(RecordedLook look) =>
        look.Outcome == ScheduleOutcome.Waiting && look.Reason.Contains(ForGeneralModel, StringComparison.Ordinal);

    public Expected Expect(SimulatedSchedule schedule, RecordedLook look, DateTimeOffset? lastLook)
    {
        var expected = ExpectAlone(schedule, look, lastLook);
        return expected.Outcome == ScheduleOutcome.Started && IsGeneralOnItsWay(schedule, look.At)
            ? new(ScheduleOutcome.Waiting)
            : expected;
    }

    private Expected ExpectAlone(SimulatedSchedule schedule, RecordedLook look, DateTimeOffset? lastLook)
    {
        var at = look.At;
        var missed = Missed(schedule, at, lastLook);
        if (RunsOf(schedule).FirstOrDefault(run => run.IsLiveAt(at)) is { } live)
        {
            return Without(missed, $"not now: run {live.Id} is ");
        }

        if (missed.Count > 0 && at - missed[^1] <= TimeSpan.FromHours(24))
        {
            return Started(RunTrigger.Cron, missed[^1]);
        }

        if (Repeat(schedule, at, missed) is { } repeat)
        {
            return repeat;
        }

        if (IsRenewalWanted(schedule, at))
        {
            return HasPlace(schedule, look) ? Started(RunTrigger.GeneralUpdate)
                : missed.Count > 0 ? Without(missed, "the general model ")
                : new(ScheduleOutcome.Waiting);
        }

        if (schedule.At(at).Settings is { Enabled: true, ThresholdEnabled: true } settings
            && Fresh(schedule, at) >= settings.ThresholdCount)
        {
            return Started(RunTrigger.Threshold);
        }

        return Without(missed, "");
    }

    // What came in this very minute has not set out yet.
    private bool IsGeneralOnItsWay(SimulatedSchedule schedule, DateTimeOffset at) =>
        !schedule.Scope.IsGeneral
        && _runs[new Scope(schedule.Scope.OrganizationId, null)].Any(run => run.IsLiveAt(at) && Minute(run.CreatedAt) < Minute(at));

    private static long Minute(DateTimeOffset at) => at.Ticks / TimeSpan.TicksPerMinute;

    private static Expected Started(string trigger, DateTimeOffset? slot = null) =>
        new(ScheduleOutcome.Started, trigger, slot);

    private static Expected Without(IReadOnlyList<DateTimeOffset> missed, string reason) =>
        new(missed.Count > 0 ? ScheduleOutcome.Skipped : ScheduleOutcome.NotDue, Reason: reason);

    private static Dictionary<Guid, DateTimeOffset[]> Times(IEnumerable<IGrouping<Guid, DateTimeOffset>> examples) =>
        examples.ToDictionary(group => group.Key, group => group.ToArray());

    // A schedule repeats the last run that it began itself, unless it was switched off since.
    private Expected? Repeat(SimulatedSchedule schedule, DateTimeOffset at, IReadOnlyList<DateTimeOffset> missed)
    {
        RecordedRun[] own = [.. RunsOf(schedule).Where(run => run.ScheduleId == schedule.Id && run.CreatedAt < at)];
        if (own is not [.., { State: RunState.Failed, EndedAt: { } endedAt }]
            || LastSuccess(schedule.Scope, at)?.EndedAt > endedAt
            || schedule.Changes.Any(change => !change.Settings.Enabled && change.At > own[^1].CreatedAt && change.At <= at))
        {
            return null;
        }

        var repeats = own.Reverse().TakeWhile(run => run.Trigger == RunTrigger.Retry).Count();
        if (repeats == RepeatsAfter.Length)
        {
            return _looks[schedule.Id].Any(look =>
                    look.Outcome == ScheduleOutcome.GaveUp && look.At > endedAt && look.At < at)
                ? null
                : new(ScheduleOutcome.GaveUp);
        }

        return endedAt + RepeatsAfter[repeats] <= at
            ? Started(RunTrigger.Retry)
            : Without(missed, $"repeat {repeats + 1} of 3 is due at ");
    }

    private bool IsRenewalWanted(SimulatedSchedule schedule, DateTimeOffset at)
    {
        var general = new Scope(schedule.Scope.OrganizationId, null);
        if (schedule.Scope.IsGeneral
            || LastSuccess(general, at)?.EndedAt is not { } renewedAt
            || RunsOf(schedule).Any(run => run.CreatedAt >= renewedAt && run.CreatedAt < at))
        {
            return false;
        }

        var organization = _schedules[general];
        return (schedule.At(at).Settings is { Enabled: true, RetrainOnGeneralUpdate: true }
                && schedule.Since(at, change => change.Settings.Enabled) <= renewedAt)
            || (organization.At(at).Settings is { Enabled: true, RetrainProjects: true }
                && organization.Since(at, change => change.Settings.Enabled) <= renewedAt
                && LastSuccess(schedule.Scope, at) is not null);
    }

    // Ticks of one moment may have taken the last place before this one or after it.
    private bool HasPlace(SimulatedSchedule schedule, RecordedLook look)
    {
        var taken = _schedules.Keys
            .Where(scope => scope.OrganizationId == schedule.Scope.OrganizationId)
            .SelectMany(scope => _runs[scope])
            .Where(run => run.Trigger == RunTrigger.GeneralUpdate && run.Id != look.RunId && !(run.EndedAt <= look.At))
            .ToArray();
        var (fewest, most) = (Count(TimeSpan.FromMinutes(-1)), Count(TimeSpan.FromMinutes(1)));
        return most < Fortnight.RetrainingLimit
            || (fewest < Fortnight.RetrainingLimit && look.Outcome == ScheduleOutcome.Started);

        int Count(TimeSpan tolerance) => taken.Count(run => run.CreatedAt < look.At + tolerance);
    }

    private int Fresh(SimulatedSchedule schedule, DateTimeOffset at)
    {
        var success = LastSuccess(schedule.Scope, at);
        var tried = RunsOf(schedule).LastOrDefault(run =>
            run.ScheduleId == schedule.Id && run.Trigger == RunTrigger.Threshold && run.CreatedAt < at);
        var fresh = CountExamples(schedule.Scope, success?.SnapshotAt, at);
        return tried is null || success?.EndedAt > tried.CreatedAt
            ? fresh
            : fresh - CountExamples(schedule.Scope, success?.SnapshotAt, tried.CreatedAt);
    }

    private int CountExamples(Scope scope, DateTimeOffset? after, DateTimeOffset to)
    {
        var times = scope.ProjectId is { } project ? _examplesOf[project] : _examplesOfAll[scope.OrganizationId];
        return UpTo(to) - (after is { } start ? UpTo(start) : 0);

        int UpTo(DateTimeOffset limit)
        {
            var found = Array.BinarySearch(times, limit.AddTicks(1));
            var end = found < 0 ? ~found : found;
            while (end > 0 && times[end - 1] > limit)
            {
                end--;
            }

            return end;
        }
    }

    private RecordedRun? LastSuccess(Scope scope, DateTimeOffset at) =>
        _runs[scope].LastOrDefault(run => run.State == RunState.Succeeded && run.EndedAt <= at);
}
