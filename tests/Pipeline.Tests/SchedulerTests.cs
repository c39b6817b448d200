using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Pipeline.Tests;

/// <summary>From the hand of a clock through Cloud Scheduler and Pub/Sub to the functions.</summary>
public sealed class SchedulerTests(PostgresFixture postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task At_the_full_hour_both_jobs_reach_their_functions_and_a_due_schedule_makes_one_run()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 23, 9, 58, 0, TimeSpan.Zero));
        await using var chain = await Chain.StartAsync(postgres, time);
        chain.Local.Scheduler.Faults.Copies = 2;
        await SaveDueScheduleAsync(chain);
        var before = chain.Local.PubSub!.Counters.Published;

        time.Advance(TimeSpan.FromMinutes(2));
        await chain.Local.Scheduler.WaitUntilIdleAsync(Stop).WithPatience();
        await chain.Local.PubSub.WaitUntilIdleAsync(Stop).WithPatience();

        Assert.Equal(
            ["feedback-loop-schedule-tick", "feedback-loop-sweep"],
            chain.Local.Scheduler.Attempts.Select(attempt => attempt.Job.Split('/')[^1]).Order());
        Assert.True(chain.Local.PubSub.Counters.Published >= before + 4);
        Assert.Empty(chain.Local.PubSub.DeadLetters);
        Assert.Equal(0, await CountAsync(chain, "ml.rejected_messages"));
        Assert.Equal(1, await CountAsync(chain, $"ml.training_runs where trigger = '{RunTrigger.Cron}'"));
    }

    // As of yesterday: the slots since then are missed ones.
    private static async Task SaveDueScheduleAsync(Chain chain)
    {
        var settings = new ScheduleSettings
        {
            Enabled = true,
            CronEnabled = true,
            CronExpression = "0 */8 * * *",
            TimeZone = "UTC",
        };
        await using var db = await chain.Database.Database.OpenConnectionAsync(Stop);
        Assert.IsType<ScheduleChangeOutcome.Saved>(await db.SaveScheduleAsync(
            new Scope(chain.Organization, null), settings, expectedVersion: null, "user:tester",
            TimeProvider.System.GetUtcNow().AddDays(-1), Stop));
    }

    private static Task<long> CountAsync(Chain chain, string rows) =>
        chain.Database.ScalarAsync<long>($"select count(*) from {rows}", Stop);
}
