using Google.Cloud.Scheduler.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>From the time of a job to the push of its message.</summary>
public sealed class FiringTests : CloudSchedulerTestBase
{
    private static readonly DateTimeOffset Ten = new(2026, 11, 23, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task A_job_publishes_its_message_at_its_time_and_not_before()
    {
        await CreateAsync();
        await AdvanceAsync(TimeSpan.FromMinutes(39));
        Assert.Empty(Receiver.Received);

        await AdvanceAsync(TimeSpan.FromMinutes(1));

        var push = Assert.Single(Receiver.Received);
        Assert.Equal(("{}", "ticks"), (push.Text, push.Message.GetProperty("attributes").GetProperty("message").GetString()));
        var job = await GetAsync();
        Assert.Equal((Ten, 0), (job.LastAttemptTime.ToDateTimeOffset(), job.Status.Code));
        Assert.Equal(Ten.AddHours(1), job.ScheduleTime.ToDateTimeOffset());
        Assert.Equal([new JobAttempt(JobName, Ten, Ten, StatusCode.OK)], Server.Attempts);
    }

    [Fact]
    public async Task A_job_publishes_again_and_again()
    {
        await CreateAsync(job => job.Schedule = "*/5 * * * *");

        for (var minute = 0; minute < 20; minute++)
        {
            await AdvanceAsync(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(4, Receiver.Received.Count);
    }

    [Fact]
    public async Task Times_that_nobody_saw_are_one()
    {
        await CreateAsync();

        await AdvanceAsync(TimeSpan.FromHours(5));

        Assert.Single(Receiver.Received);
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 15, 0, 0, TimeSpan.Zero), (await GetAsync()).ScheduleTime.ToDateTimeOffset());
    }

    [Fact]
    public async Task A_job_that_is_due_in_months_waits_so_long()
    {
        await CreateAsync(job => job.Schedule = "0 0 1 3 *");

        for (var day = 0; day < 97; day++)
        {
            await AdvanceAsync(TimeSpan.FromDays(1));
        }

        Assert.Empty(Server.Attempts);
        await AdvanceAsync(TimeSpan.FromDays(1));
        Assert.Single(Server.Attempts);
    }

    [Fact]
    public async Task A_paused_job_publishes_nothing_until_it_is_resumed()
    {
        await CreateAsync();
        await Scheduler.PauseJobAsync(new() { Name = JobName }, cancellationToken: Cancel);
        await AdvanceAsync(TimeSpan.FromHours(3));
        Assert.Empty(Receiver.Received);

        await Scheduler.ResumeJobAsync(new() { Name = JobName }, cancellationToken: Cancel);
        await AdvanceAsync(TimeSpan.FromHours(1));

        Assert.Single(Receiver.Received);
    }

    [Fact]
    public async Task A_deleted_job_publishes_nothing()
    {
        await CreateAsync();
        await Scheduler.DeleteJobAsync(new() { Name = JobName }, cancellationToken: Cancel);

        await AdvanceAsync(TimeSpan.FromHours(3));

        Assert.Empty(Server.Attempts);
    }

    [Fact]
    public async Task An_updated_job_publishes_its_new_message_at_its_new_time()
    {
        await CreateAsync();
        var change = Hourly(job =>
        {
            job.Schedule = "30 * * * *";
            job.PubsubTarget.Data = Google.Protobuf.ByteString.CopyFromUtf8("new");
        });
        await UpdateAsync(change, "schedule", "time_zone", "pubsub_target");

        await AdvanceAsync(TimeSpan.FromMinutes(10));

        Assert.Equal("new", Assert.Single(Receiver.Received).Text);
    }

    [Fact]
    public async Task A_job_can_be_run_at_any_time_and_its_next_time_stays()
    {
        await CreateAsync();

        await Scheduler.RunJobAsync(new() { Name = JobName }, cancellationToken: Cancel);
        await SettleAsync();

        Assert.Single(Receiver.Received);
        Assert.Equal(Ten, (await GetAsync()).ScheduleTime.ToDateTimeOffset());
    }

    [Fact]
    public async Task A_message_may_come_more_than_once()
    {
        Server.Faults.Copies = 2;
        await CreateAsync();

        await AdvanceAsync(TimeSpan.FromMinutes(40));

        Assert.Equal(2, Receiver.Received.Select(push => push.Id).Distinct().Count());
        Assert.Single(Server.Attempts);
    }

    [Fact]
    public async Task A_job_may_be_late()
    {
        Server.Faults.LateBy = TimeSpan.FromMinutes(7);
        await CreateAsync();
        Time.Advance(TimeSpan.FromMinutes(40));
        Assert.Empty(Server.Attempts);

        await AdvanceAsync(TimeSpan.FromMinutes(7));

        Assert.Equal([new JobAttempt(JobName, Ten, Ten.AddMinutes(7), StatusCode.OK)], Server.Attempts);
        Assert.Single(Receiver.Received);
    }

    [Fact]
    public async Task An_execution_waits_for_the_one_before_it()
    {
        Server.Faults.LateBy = TimeSpan.FromMinutes(7);
        await CreateAsync(job => job.Schedule = "*/5 * * * *");
        Time.Advance(TimeSpan.FromMinutes(5));
        Server.Faults.LateBy = TimeSpan.Zero;
        Time.Advance(TimeSpan.FromMinutes(5));

        await AdvanceAsync(TimeSpan.FromMinutes(2));

        Assert.Equal([Ten.AddMinutes(-35), Ten.AddMinutes(-30)], Server.Attempts.Select(attempt => attempt.DueAt));
        Assert.Equal(2, Receiver.Received.Count);
    }

    [Fact]
    public async Task A_failed_attempt_is_not_repeated_unless_the_job_says_so()
    {
        Server.Faults.FailAttempts(1);
        await CreateAsync();

        await AdvanceAsync(TimeSpan.FromMinutes(40));

        Assert.Equal((int)StatusCode.Unavailable, (await GetAsync()).Status.Code);
        await AdvanceAsync(TimeSpan.FromMinutes(59));
        Assert.Empty(Receiver.Received);
        await AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Single(Receiver.Received);
    }

    [Fact]
    public async Task Repeats_wait_five_seconds_and_then_twice_as_long()
    {
        Server.Faults.FailAttempts(2);
        await CreateAsync(job => job.RetryConfig = new RetryConfig { RetryCount = 3 });

        await AdvanceUntilAsync(TimeSpan.FromMinutes(40), attempts: 1);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(5), attempts: 2);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(10), attempts: 3);
        await SettleAsync();

        Assert.Equal(
            [StatusCode.Unavailable, StatusCode.Unavailable, StatusCode.OK], Server.Attempts.Select(attempt => attempt.Code));
        Assert.Equal([Ten, Ten.AddSeconds(5), Ten.AddSeconds(15)], Server.Attempts.Select(attempt => attempt.StartedAt));
        Assert.Single(Receiver.Received);
    }

    [Fact]
    public async Task A_topic_that_is_not_there_is_what_the_job_says()
    {
        await CreateAsync(job => job.PubsubTarget.TopicName = "projects/demo/topics/nobody");

        await AdvanceAsync(TimeSpan.FromMinutes(40));

        Assert.Equal((int)StatusCode.NotFound, (await GetAsync()).Status.Code);
    }

    [Fact]
    public async Task A_pub_sub_that_refuses_is_tried_again()
    {
        PubSubFaults.RefusePublish(1);
        await CreateAsync(job => job.RetryConfig = new RetryConfig { RetryCount = 1 });

        await AdvanceUntilAsync(TimeSpan.FromMinutes(40), attempts: 1);
        await AdvanceUntilAsync(TimeSpan.FromSeconds(5), attempts: 2);
        await SettleAsync();

        Assert.Single(Receiver.Received);
    }

    /// <summary>
    /// The clock stands still once moved; an execution that is about to wait for its repeat needs its turn on the processor.
    /// </summary>
    private async Task AdvanceUntilAsync(TimeSpan by, int attempts)
    {
        Time.Advance(by);
        while (Server.Attempts.Count < attempts)
        {
            Cancel.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
