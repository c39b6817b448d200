using System.Globalization;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Scheduling.Tests.TwoWeeks;

/// <summary>
/// No slot twice, none forgotten: two weeks of 200 schedules under ticks that come as they like, read from the rows afterwards.
/// </summary>
public sealed class TwoWeeksTests(PostgresFixture postgres, ITestOutputHelper output)
{
    /// <summary>How long a schedule may have been looked at before a tick that need not look again.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMinutes(31);

    [Theory]
    [InlineData(20261019)]
    public Task Two_weeks_of_doubled_missing_late_and_dying_ticks_forget_nothing_and_start_nothing_twice(int seed) =>
        ProveAsync(seed);

    // Run by: tests/Scheduling.Tests/bin/Debug/net10.0/Scheduling.Tests -explicit only
    [Theory(Explicit = true)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public Task The_same_with_other_seeds(int seed) => ProveAsync(seed);

    private async Task ProveAsync(int seed)
    {
        await using var world = await World.StartAsync(postgres);
        await using var fortnight = new Fortnight(world, seed);
        await fortnight.RunAsync();
        var record = await FortnightRecord.ReadAsync(world.Rows, World.Stop);
        var model = new FortnightModel(fortnight, record);

        AssertOneRunASlot(record);
        AssertOneLiveRunAScope(record);
        AssertRetrainingLimit(record);
        var slots = new SlotCounts();
        var looks = record.Looks.ToLookup(look => look.ScheduleId);
        var runs = record.Runs.ToDictionary(run => run.Id);
        foreach (var schedule in fortnight.Schedules)
        {
            AssertEachLookIsRight(schedule, [.. looks[schedule.Id]], runs, model, slots);
            AssertNoneIsForgotten(schedule, [.. looks[schedule.Id]], fortnight.Calm, slots);
        }

        Assert.Equal(slots.All, slots.Told);

        // A run that is started has its message and its audit entry, however the worker ended.
        Assert.Equal(record.Runs.Count, await CountAsync(world, "ml.outbox where topic = 'export-requested'"));
        Assert.Equal(record.Runs.Count, await CountAsync(world, "ml.audit_log where action = 'start-training'"));
        Report(seed, fortnight, record, slots);
    }

    private static void AssertOneRunASlot(FortnightRecord record) => Assert.DoesNotContain(
        record.Runs.Where(run => run.Slot is not null).GroupBy(run => (run.ScheduleId, run.Slot)), slot => slot.Count() > 1);

    private static void AssertOneLiveRunAScope(FortnightRecord record) => Assert.All(
        record.Runs.GroupBy(run => run.Scope),
        scope => Assert.All(
            scope.Zip(scope.Skip(1)),
            pair => Assert.True(pair.First.EndedAt <= pair.Second.CreatedAt, $"{pair.First} and {pair.Second} were live")));

    private static void AssertRetrainingLimit(FortnightRecord record)
    {
        var retrainings = record.Runs.Where(run => run.Trigger == RunTrigger.GeneralUpdate).ToArray();
        Assert.All(retrainings, begun => Assert.InRange(
            retrainings.Count(run => run.OrganizationId == begun.OrganizationId
                && run.CreatedAt <= begun.CreatedAt && !(run.EndedAt <= begun.CreatedAt)),
            1,
            Fortnight.RetrainingLimit));
    }

    private static void AssertEachLookIsRight(
        SimulatedSchedule schedule, RecordedLook[] looks, Dictionary<Guid, RecordedRun> runs, FortnightModel model,
        SlotCounts slots)
    {
        DateTimeOffset? last = null;
        foreach (var look in looks)
        {
            var run = look.Outcome == ScheduleOutcome.Started ? runs[look.RunId!.Value] : null; // a constraint of the row
            var expected = model.Expect(schedule, look, last);
            var actual = new Expected(look.Outcome, run?.Trigger, run?.Slot, expected.Reason);
            Assert.True(
                actual == expected && look.Reason.StartsWith(expected.Reason, StringComparison.Ordinal) && look.Reason != "",
                $"schedule {schedule.Index}: {look}, {run}\nbut expected {expected}; last looked at {last:O}");
            var missed = FortnightModel.Missed(schedule, look.At, last);
            if (missed.Count > 0 && FortnightModel.KeepsSlots(look))
            {
                slots.Kept++;
                continue;
            }

            slots.Add(missed, look, run);
            last = look.At;
        }

        Assert.Equal(
            looks.Count(look => look.Outcome == ScheduleOutcome.Started),
            model.RunsOf(schedule).Count(run => run.ScheduleId == schedule.Id));
    }

    private static void AssertNoneIsForgotten(
        SimulatedSchedule schedule, RecordedLook[] looks, IReadOnlyList<DateTimeOffset> calm, SlotCounts slots)
    {
        DailyTimes? before = null;
        foreach (var change in schedule.Changes)
        {
            if (change.ActiveTimes is { } times && times != before)
            {
                var until = schedule.Changes.FirstOrDefault(later => later.At > change.At && later.ActiveTimes != times)?.At;
                foreach (var slot in times.Between(change.At, until ?? Fortnight.End))
                {
                    var demanded = calm.FirstOrDefault(tick => tick >= slot && !(tick >= until));
                    Assert.True(
                        demanded == default || looks.Any(look => look.At >= slot && look.At <= demanded),
                        $"schedule {schedule.Index}: nobody looked at the slot {slot:O}, though a tick came at {demanded:O}");
                    slots.All++;
                    if (!looks.Any(look => look.At >= slot && !(look.At >= until) && !FortnightModel.KeepsSlots(look)))
                    {
                        (slots.Overtaken, slots.Left) = until is null
                            ? (slots.Overtaken, slots.Left + 1)
                            : (slots.Overtaken + 1, slots.Left);
                    }
                }
            }

            before = change.ActiveTimes;
        }

        foreach (var tick in calm.Where(tick => schedule.At(tick).IsWatching))
        {
            Assert.True(
                looks.Any(look => look.At > tick - Rest && look.At <= tick),
                $"schedule {schedule.Index}: nobody looked at {tick:O}");
        }
    }

    private static async Task<int> CountAsync(World world, string rows) =>
        (int)await world.Rows.ScalarAsync<long>($"select count(*) from {rows}", World.Stop);

    private void Report(int seed, Fortnight fortnight, FortnightRecord record, SlotCounts slots)
    {
        var triggers = record.Runs.GroupBy(run => run.Trigger).OrderBy(group => group.Key, StringComparer.Ordinal);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"seed {seed}: {fortnight.Schedules.Count} schedules, {fortnight.Schedules.Sum(s => s.Changes.Count - 1)} changes, "
            + $"{fortnight.Counts}, {record.Looks.Count} looks, {record.Runs.Count} runs "
            + $"({string.Join(", ", triggers.Select(group => $"{group.Key} {group.Count()}"))}), "
            + $"{record.Looks.Count(look => look.Outcome == ScheduleOutcome.Waiting)} waiting, "
            + $"{record.Looks.Count(look => look.Outcome == ScheduleOutcome.GaveUp)} given up; {slots}"));
    }
}

/// <summary>What became of the slots.</summary>
internal sealed record SlotCounts
{
    public int All { get; set; }
    public int Run { get; set; }
    public int Collapsed { get; set; }
    public int SkippedBusy { get; set; }
    public int LetGo { get; set; }

    /// <summary>Looks that left slots to a later one.</summary>
    public int Kept { get; set; }

    /// <summary>The settings were changed before a tick came, or while the slot waited.</summary>
    public int Overtaken { get; set; }

    /// <summary>No tick came before the end.</summary>
    public int Left { get; set; }

    public int Told => Run + Collapsed + SkippedBusy + LetGo + Overtaken + Left;

    public void Add(IReadOnlyList<DateTimeOffset> missed, RecordedLook look, RecordedRun? run)
    {
        if (missed.Count == 0)
        {
            return;
        }

        var isStarted = run?.Slot is not null;
        Run += isStarted ? 1 : 0;
        Collapsed += missed.Count - 1;
        SkippedBusy += !isStarted && look.Reason.StartsWith("not now: run ", StringComparison.Ordinal) ? 1 : 0;
        LetGo += !isStarted && !look.Reason.StartsWith("not now: run ", StringComparison.Ordinal) ? 1 : 0;
    }
}
