using CsCheck;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>Years of ticks that come late, twice, not at all, or by a clock that went back.</summary>
public sealed class SlotLawTests
{
    private static readonly DateTimeOffset Start = CronTimesTests.At("2026-01-01T00:00Z");

    // Minutes from one tick to the next: mostly an hour, sometimes the same tick again, days of downtime, a clock set back.
    private static readonly Gen<int> Pause = Gen.Frequency(
        (20, Gen.Int[55, 65]), (3, Gen.Const(0)), (2, Gen.Int[600, 6_000]), (1, Gen.Int[10_000, 90_000]), (1, Gen.Int[-3_000, -1]));

    [Fact]
    public void Each_slot_starts_one_run_at_most_never_early_and_only_the_latest() =>
        Gen.Select(
                CronTimesTests.Expressions,
                Gen.OneOf("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"),
                Pause.Array[200, 600])
            .Sample(
                (expression, zone, pauses) =>
                {
                    var times = CronTimesTests.Times(expression, zone);
                    var schedule = DueWorkTests.Daily() with
                    {
                        CronExpression = expression,
                        TimeZone = zone,
                        NextScheduledAt = times.NextAfter(Start),
                    };
                    var started = new List<DateTimeOffset>();
                    var now = Start;
                    foreach (var pause in pauses)
                    {
                        now = now.AddMinutes(pause);
                        var facts = schedule.OpenRunId is { } run
                            ? new DueFacts { OpenRun = new(run, RunState.Succeeded, now, null) }
                            : new DueFacts();
                        var decision = DueWork.Decide(schedule, facts, retrainingLimit: 5, now);
                        RunId? began = null;
                        if (decision is DueDecision.Due { Slot: { } slot })
                        {
                            Assert.True(slot <= now, $"{slot} began at {now}");
                            Assert.True(slot > Start, "what was before the start is not made up for");
                            Assert.True(times.NextAfter(slot) is not { } later || later > now, $"{slot} is not the latest");
                            started.Add(slot);
                            began = RunId.New(now);
                        }

                        var before = schedule.NextScheduledAt;
                        schedule = DueWork.After(schedule, facts, decision, began, now);
                        Assert.True(schedule.NextScheduledAt >= before, "the next slot went back");
                        Assert.True(schedule.NextScheduledAt > now, "a slot that has come is still to come");
                        Assert.True(schedule.NextCheckAt <= schedule.NextScheduledAt, "a slot would be looked at too late");
                    }

                    Assert.Equal(started.Order().Distinct(), started);
                },
                iter: 200);

    [Fact]
    public void With_hourly_ticks_no_slot_is_left_out() =>
        Gen.Select(
                CronTimesTests.Expressions,
                Gen.OneOf("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"),
                Gen.Int[0, 59])
            .Sample(
                (expression, zone, minute) =>
                {
                    var times = CronTimesTests.Times(expression, zone);
                    var schedule = DueWorkTests.Daily() with
                    {
                        CronExpression = expression,
                        TimeZone = zone,
                        NextScheduledAt = times.NextAfter(Start),
                    };
                    var end = Start.AddDays(800);
                    var started = new List<DateTimeOffset>();
                    for (var now = Start.AddMinutes(minute); now <= end; now = now.AddHours(1))
                    {
                        var decision = DueWork.Decide(schedule, new(), retrainingLimit: 5, now);
                        if (decision is DueDecision.Due { Slot: { } slot })
                        {
                            started.Add(slot);
                        }

                        schedule = DueWork.After(
                            schedule, new(), decision, decision is DueDecision.Due ? RunId.New(now) : null, now);
                    }

                    Assert.Equal(
                        times.Following(Start, int.MaxValue).TakeWhile(slot => slot <= end.AddHours(-1)),
                        started.TakeWhile(slot => slot <= end.AddHours(-1)));
                },
                iter: 30);
}
