using System.Text.Json;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>The clocks of the chain, as their receivers read them.</summary>
public sealed class TickJobTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 9, 20, 30, TimeSpan.Zero);

    [Fact]
    public void The_hourly_tick_is_what_the_schedule_function_receives()
    {
        Assert.Equal(Topics.ScheduleTick, TickJob.ScheduleTick.Topic);
        Assert.Equal(
            new ScheduleTick(), JsonSerializer.Deserialize(TickJob.ScheduleTick.Payload, MessageJson.Default.ScheduleTick));
    }

    [Fact]
    public void The_sweep_is_what_the_polling_function_receives()
    {
        Assert.Equal(Topics.PollTick, TickJob.Sweep.Topic);
        Assert.Equal(new PollTick(), JsonSerializer.Deserialize(TickJob.Sweep.Payload, MessageJson.Default.PollTick));
    }

    [Fact]
    public void One_comes_every_hour_and_one_every_five_minutes()
    {
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero), TickJob.ScheduleTick.NextAfter(Now));
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 9, 25, 0, TimeSpan.Zero), TickJob.Sweep.NextAfter(Now));
    }

    [Fact]
    public void Both_have_names_of_their_own() =>
        Assert.Equal(["feedback-loop-schedule-tick", "feedback-loop-sweep"], TickJob.All.Select(job => job.Id));
}
