using FeedbackLoop.Local.Hosting;
using Google.Cloud.Scheduler.V1;
using Google.Rpc;
using Grpc.Core;
using State = Google.Cloud.Scheduler.V1.Job.Types.State;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>The calls, apart from what happens at the times of the jobs.</summary>
public sealed class JobTests : CloudSchedulerTestBase
{
    [Fact]
    public async Task A_new_job_is_enabled_and_says_when_it_is_due()
    {
        var job = await CreateAsync();

        Assert.Equal(State.Enabled, job.State);
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero), job.ScheduleTime.ToDateTimeOffset());
        Assert.Equal(Time.GetUtcNow(), job.UserUpdateTime.ToDateTimeOffset());
        Assert.Equal(job, await GetAsync());
    }

    [Fact]
    public async Task A_job_is_due_by_the_clocks_of_its_time_zone()
    {
        var job = await CreateAsync(job => (job.Schedule, job.TimeZone) = ("30 8 * * *", "America/New_York"));

        Assert.Equal(new DateTimeOffset(2026, 11, 23, 13, 30, 0, TimeSpan.Zero), job.ScheduleTime.ToDateTimeOffset());
    }

    [Fact]
    public async Task A_job_without_a_name_gets_one()
    {
        var job = await CreateAsync(job => job.Name = "");

        Assert.Matches($"^{Parent}/jobs/[0-9a-f-]{{36}}$", job.Name);
    }

    [Fact]
    public async Task A_name_is_taken_once()
    {
        await CreateAsync();

        var refusal = await RefusalOfAsync(() => CreateAsync());

        Assert.Equal(StatusCode.AlreadyExists, refusal.StatusCode);
        Assert.Equal("RESOURCE_ALREADY_EXISTS", refusal.Detail<ErrorInfo>().Reason);
    }

    [Fact]
    public async Task A_job_that_never_was_is_not_found_by_any_call()
    {
        Func<Task>[] calls =
        [
            () => GetAsync(),
            () => UpdateAsync(Hourly(), "schedule"),
            () => Scheduler.DeleteJobAsync(new() { Name = JobName }, cancellationToken: Cancel).ResponseAsync,
            () => Scheduler.PauseJobAsync(new() { Name = JobName }, cancellationToken: Cancel).ResponseAsync,
            () => Scheduler.ResumeJobAsync(new() { Name = JobName }, cancellationToken: Cancel).ResponseAsync,
            () => Scheduler.RunJobAsync(new() { Name = JobName }, cancellationToken: Cancel).ResponseAsync,
        ];

        foreach (var call in calls)
        {
            Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(call)).StatusCode);
        }
    }

    [Fact]
    public async Task An_update_changes_what_its_mask_names_and_nothing_else()
    {
        await CreateAsync();
        var change = Hourly(job =>
        {
            (job.Schedule, job.Description, job.State) = ("*/5 * * * *", "other", State.Paused);
            job.PubsubTarget.Attributes.Clear();
        });

        var updated = await UpdateAsync(change, "schedule", "time_zone", "pubsub_target");

        Assert.Equal(("*/5 * * * *", "ticks", State.Enabled), (updated.Schedule, updated.Description, updated.State));
        Assert.Empty(updated.PubsubTarget.Attributes);
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 9, 25, 0, TimeSpan.Zero), updated.ScheduleTime.ToDateTimeOffset());
        Assert.Equal(updated, await GetAsync());
    }

    [Fact]
    public async Task An_update_without_a_mask_changes_what_it_has()
    {
        await CreateAsync();

        var updated = await UpdateAsync(new Job { Name = JobName, Description = "other" });

        Assert.Equal(("other", "0 * * * *"), (updated.Description, updated.Schedule));
    }

    [Theory]
    [InlineData("state")]
    [InlineData("name")]
    [InlineData("timeZone")]
    [InlineData("pubsub_target.topic")]
    public async Task A_mask_that_names_no_field_of_a_job_is_refused(string path)
    {
        await CreateAsync();

        var refusal = await RefusalOfAsync(() => UpdateAsync(Hourly(), path));

        Assert.Equal((StatusCode.InvalidArgument, $"Invalid mask for Job: {path}"), (refusal.StatusCode, refusal.Status.Detail));
    }

    [Fact]
    public async Task An_update_that_is_refused_leaves_the_job_as_it_was()
    {
        var before = await CreateAsync();

        await RefusalOfAsync(() => UpdateAsync(Hourly(job => job.Schedule = "61 * * * *"), "schedule"));

        Assert.Equal(before, await GetAsync());
    }

    [Fact]
    public async Task Only_an_enabled_job_can_be_paused_and_only_a_paused_one_resumed()
    {
        await CreateAsync();
        Assert.Equal(StatusCode.FailedPrecondition, (await RefusalOfAsync(ResumeAsync)).StatusCode);

        var paused = await PauseAsync();
        Assert.Equal((State.Paused, null), (paused.State, paused.ScheduleTime));
        Assert.Equal(StatusCode.FailedPrecondition, (await RefusalOfAsync(PauseAsync)).StatusCode);

        Assert.Equal(State.Enabled, (await ResumeAsync()).State);
    }

    [Fact]
    public async Task An_update_does_not_resume_a_paused_job()
    {
        await CreateAsync();
        await PauseAsync();

        var updated = await UpdateAsync(Hourly(job => job.Schedule = "*/5 * * * *"), "schedule");

        Assert.Equal((State.Paused, null), (updated.State, updated.ScheduleTime));
    }

    [Fact]
    public async Task A_list_goes_by_name_in_pages_and_knows_its_location()
    {
        await Scheduler.CreateJobAsync(
            new()
            {
                Parent = "projects/demo/locations/us-east1",
                Job = Hourly(job => job.Name = "projects/demo/locations/us-east1/jobs/elsewhere"),
            },
            cancellationToken: Cancel);
        foreach (var id in (string[])["c", "a", "b"])
        {
            await CreateAsync(job => job.Name = $"{Parent}/jobs/{id}");
        }

        var first = await ListAsync("");
        var second = await ListAsync(first.NextPageToken);

        Assert.Equal([$"{Parent}/jobs/a", $"{Parent}/jobs/b"], first.Jobs.Select(job => job.Name));
        Assert.Equal([$"{Parent}/jobs/c"], second.Jobs.Select(job => job.Name));
        Assert.Equal("", second.NextPageToken);
    }

    [Fact]
    public async Task A_deleted_job_is_gone_and_its_name_is_free()
    {
        await CreateAsync();

        await Scheduler.DeleteJobAsync(new() { Name = JobName }, cancellationToken: Cancel);

        Assert.Equal(StatusCode.NotFound, (await RefusalOfAsync(GetAsync)).StatusCode);
        Assert.Equal(JobName, (await CreateAsync()).Name);
    }

    [Fact]
    public async Task A_scripted_refusal_answers_one_call_and_may_carry_it_out_all_the_same()
    {
        Server.Faults.Refuse(SchedulerMethod.CreateJob, StatusCode.PermissionDenied, "no");
        Server.Faults.Refuse(SchedulerMethod.CreateJob, StatusCode.DeadlineExceeded, "late", isCarriedOut: true);

        Assert.Equal("no", (await RefusalOfAsync(() => CreateAsync())).Status.Detail);
        Assert.Equal(StatusCode.NotFound, (await RefusalOfAsync(GetAsync)).StatusCode);
        Assert.Equal("late", (await RefusalOfAsync(() => CreateAsync())).Status.Detail);
        Assert.Equal(JobName, (await GetAsync()).Name);
    }

    private async Task<Job> PauseAsync() =>
        await Scheduler.PauseJobAsync(new PauseJobRequest { Name = JobName }, cancellationToken: Cancel);

    private async Task<Job> ResumeAsync() =>
        await Scheduler.ResumeJobAsync(new ResumeJobRequest { Name = JobName }, cancellationToken: Cancel);

    private async Task<ListJobsResponse> ListAsync(string token) => await Scheduler.ListJobsAsync(
        new ListJobsRequest { Parent = Parent, PageSize = 2, PageToken = token }, cancellationToken: Cancel);
}
