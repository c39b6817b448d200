using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Local.CloudScheduler;
using FeedbackLoop.Scheduling;
using Google.Cloud.Scheduler.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Time.Testing;
using State = Google.Cloud.Scheduler.V1.Job.Types.State;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>Our client of Cloud Scheduler, against the stand-in.</summary>
public sealed class SchedulerJobsTests : IAsyncLifetime
{
    private const string Parent = "projects/demo/locations/us-central1";
    private const string Tick = $"{Parent}/jobs/feedback-loop-schedule-tick";

    private CloudSchedulerServer _server = null!; // these two are set before any test runs
    private GrpcChannel _channel = null!;

    private CloudScheduler.CloudSchedulerClient Scheduler => new(_channel);

    public async ValueTask InitializeAsync()
    {
        // Its clock stands still: no job comes due, and nobody has to listen at Pub/Sub's address.
        _server = await CloudSchedulerServer.StartAsync(
            new() { PubSubAddress = new Uri("http://127.0.0.1:1"), Time = new FakeTimeProvider() }, World.Stop);
        _channel = Open(_server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_missing_job_is_created()
    {
        var synced = await SyncAsync();

        Assert.Equal((Tick, JobChange.Create, true), (synced.Name, synced.Change, synced.IsEnabled));
        var job = await GetAsync();
        Assert.Equal(("0 * * * *", "Etc/UTC", 3), (job.Schedule, job.TimeZone, job.RetryConfig.RetryCount));
        Assert.Equal(
            new PubsubTarget
            {
                TopicName = "projects/demo/topics/schedule-tick",
                Data = ByteString.CopyFromUtf8("{}"),
                Attributes = { ["message"] = "schedule-tick" },
            },
            job.PubsubTarget);
        Assert.Equal(job.ScheduleTime.ToDateTimeOffset(), synced.NextAt);
    }

    [Fact]
    public async Task Every_job_that_is_wanted_can_be_created()
    {
        foreach (var tick in TickJob.All)
        {
            Assert.Equal(JobChange.Create, (await Jobs().SyncAsync(tick, isDryRun: false, World.Stop)).Change);
        }
    }

    [Fact]
    public async Task A_repeat_changes_nothing()
    {
        await SyncAsync();
        var before = await GetAsync();

        var synced = await SyncAsync();

        Assert.Equal(JobChange.None, synced.Change);
        Assert.Empty(synced.Fields);
        Assert.Equal(before, await GetAsync());
    }

    public static TheoryData<string[], Action<Job>> Changes => new()
    {
        { ["description"], job => job.Description = "other" },
        { ["schedule", "time_zone"], job => job.Schedule = "30 * * * *" },
        { ["schedule", "time_zone"], job => job.TimeZone = "Europe/Berlin" },
        { ["pubsub_target"], job => job.PubsubTarget.TopicName = "projects/demo/topics/other" },
        { ["pubsub_target"], job => job.PubsubTarget.Data = ByteString.CopyFromUtf8("other") },
        { ["pubsub_target"], job => job.PubsubTarget.Attributes.Clear() },
        { ["retry_config"], job => job.RetryConfig = null },
    };

    [Theory]
    [MemberData(nameof(Changes), DisableDiscoveryEnumeration = true)]
    public async Task What_somebody_changed_is_put_right(string[] fields, Action<Job> change)
    {
        await SyncAsync();
        var right = await GetAsync();
        await ChangeAsync(change, fields);

        var synced = await SyncAsync();

        Assert.Equal(JobChange.Update, synced.Change);
        Assert.Equal(fields, synced.Fields);
        Assert.Equal(Described(right), Described(await GetAsync()));
        Assert.Equal(JobChange.None, (await SyncAsync()).Change);
    }

    [Fact]
    public async Task What_cloud_scheduler_fills_in_does_not_count()
    {
        var wanted = SchedulerJobDefinition.Of(TickJob.Sweep, "demo", Parent);
        await Scheduler.CreateJobAsync(new CreateJobRequest { Parent = Parent, Job = wanted }, cancellationToken: World.Stop);

        var filled = (await GetAsync("feedback-loop-sweep")).Clone();
        filled.RetryConfig.MaxDoublings = 5;
        filled.AttemptDeadline = new() { Seconds = 180 };

        Assert.Empty(SchedulerJobDefinition.Difference(wanted, filled));
    }

    [Fact]
    public void A_job_whose_last_update_failed_is_updated_whole()
    {
        var wanted = SchedulerJobDefinition.Of(TickJob.Sweep, "demo", Parent);
        var broken = wanted.Clone();
        broken.State = State.UpdateFailed;

        Assert.Equal(
            ["description", "schedule", "time_zone", "pubsub_target", "retry_config"],
            SchedulerJobDefinition.Difference(wanted, broken));
    }

    [Fact]
    public async Task A_paused_job_is_put_right_and_stays_paused()
    {
        await SyncAsync();
        await ChangeAsync(job => job.Schedule = "30 * * * *", ["schedule"]);
        await Scheduler.PauseJobAsync(new PauseJobRequest { Name = Tick }, cancellationToken: World.Stop);

        var synced = await SyncAsync();

        Assert.Equal((JobChange.Update, false, "Paused", null), (synced.Change, synced.IsEnabled, synced.State, synced.NextAt));
        Assert.Equal((State.Paused, "0 * * * *"), ((await GetAsync()).State, (await GetAsync()).Schedule));
        Assert.Equal(JobChange.None, (await SyncAsync()).Change);
    }

    [Fact]
    public async Task A_dry_run_says_what_it_would_do_and_does_nothing()
    {
        var missing = await SyncAsync(isDryRun: true);
        Assert.Equal((JobChange.Create, null), (missing.Change, missing.State));
        Assert.NotNull(missing.NextAt);
        Assert.Equal(
            StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => GetAsync())).StatusCode);

        await SyncAsync();
        await ChangeAsync(job => job.Schedule = "30 * * * *", ["schedule"]);
        var changed = await SyncAsync(isDryRun: true);

        Assert.Equal((JobChange.Update, 0), (changed.Change, changed.NextAt?.Minute));
        Assert.Equal("30 * * * *", (await GetAsync()).Schedule);
    }

    [Fact]
    public async Task Somebody_who_creates_the_job_in_between_is_no_error()
    {
        await SyncAsync();
        await ChangeAsync(job => job.Description = "theirs", ["description"]);
        _server.Faults.Refuse(SchedulerMethod.GetJob, StatusCode.NotFound, "not yet");

        Assert.Equal(JobChange.Update, (await SyncAsync()).Change);
        Assert.Equal(TickJob.ScheduleTick.Description, (await GetAsync()).Description);
    }

    [Fact]
    public async Task A_creation_whose_answer_is_lost_makes_one_job()
    {
        _server.Faults.Refuse(SchedulerMethod.CreateJob, StatusCode.DeadlineExceeded, "slow", isCarriedOut: true);

        await SyncAsync();

        var list = await Scheduler.ListJobsAsync(new ListJobsRequest { Parent = Parent }, cancellationToken: World.Stop);
        Assert.Equal(Tick, Assert.Single(list.Jobs).Name);
    }

    [Theory]
    [InlineData(SchedulerMethod.GetJob, StatusCode.Unavailable)]
    [InlineData(SchedulerMethod.GetJob, StatusCode.DeadlineExceeded)]
    [InlineData(SchedulerMethod.CreateJob, StatusCode.Unavailable)]
    [InlineData(SchedulerMethod.CreateJob, StatusCode.DeadlineExceeded)]
    public async Task A_passing_trouble_is_tried_again(SchedulerMethod method, StatusCode code)
    {
        for (var time = 0; time < 3; time++)
        {
            _server.Faults.Refuse(method, code, "in a moment");
        }

        Assert.Equal(JobChange.Create, (await SyncAsync()).Change);
    }

    [Fact]
    public async Task Trouble_that_does_not_pass_is_told_after_four_attempts()
    {
        for (var time = 0; time < 5; time++)
        {
            _server.Faults.Refuse(SchedulerMethod.GetJob, StatusCode.Unavailable, "away");
        }

        var failure = await Assert.ThrowsAsync<SchedulerException>(() => SyncAsync());

        Assert.Equal("Cloud Scheduler did not set up feedback-loop-schedule-tick: Unavailable, away", failure.Message);
        await Assert.ThrowsAsync<RpcException>(() => GetAsync()); // the fifth
        Assert.Equal(JobChange.Create, (await SyncAsync()).Change);
    }

    [Theory]
    [InlineData(
        StatusCode.PermissionDenied, "Cloud Scheduler does not let you set up feedback-loop-schedule-tick: its words",
        "roles/cloudscheduler.admin on project demo")]
    [InlineData(
        StatusCode.InvalidArgument, "Cloud Scheduler does not accept feedback-loop-schedule-tick: its words",
        "gcloud scheduler locations list --project demo")]
    [InlineData(StatusCode.Unauthenticated, "Cloud Scheduler does not know who you are: its words", "gcloud auth")]
    [InlineData(StatusCode.ResourceExhausted, "Cloud Scheduler takes no more for now: its words", "quota")]
    [InlineData(
        StatusCode.Internal, "Cloud Scheduler did not set up feedback-loop-schedule-tick: Internal, its words", "again")]
    public async Task A_refusal_says_what_was_wrong_and_how_to_mend_it(StatusCode code, string problem, string remedy)
    {
        _server.Faults.Refuse(SchedulerMethod.CreateJob, code, "its words\nand more");

        var failure = await Assert.ThrowsAsync<SchedulerException>(() => SyncAsync());

        Assert.Equal(problem, failure.Message);
        Assert.Contains(remedy, failure.Remedy, StringComparison.Ordinal);
        Assert.Equal(code, Assert.IsType<RpcException>(failure.InnerException).StatusCode);
    }

    [Fact]
    public async Task A_location_that_does_not_exist_is_named()
    {
        var jobs = new SchedulerJobs(Scheduler, "demo", "atlantis", TimeProvider.System);

        var failure = await Assert.ThrowsAsync<SchedulerException>(
            () => jobs.SyncAsync(TickJob.Sweep, isDryRun: false, World.Stop));

        Assert.StartsWith(
            "Cloud Scheduler does not find project demo or its location atlantis: ", failure.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scheduler_that_cannot_be_reached_is_told()
    {
        using var nobody = Open(new Uri("http://127.0.0.1:1"));
        var jobs = new SchedulerJobs(
            new CloudScheduler.CloudSchedulerClient(nobody), "demo", "us-central1", TimeProvider.System)
        {
            FirstPause = TimeSpan.FromMilliseconds(1),
        };

        var failure = await Assert.ThrowsAsync<SchedulerException>(
            () => jobs.SyncAsync(TickJob.Sweep, isDryRun: false, World.Stop));

        Assert.Equal("Cloud Scheduler cannot be reached: Connection refused", failure.Message);
    }

    [Fact]
    public async Task Whoever_gives_up_waits_no_longer()
    {
        _server.Faults.Refuse(SchedulerMethod.GetJob, StatusCode.Unavailable, "away");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(World.Stop);
        var sync = new SchedulerJobs(Scheduler, "demo", "us-central1", TimeProvider.System)
        {
            FirstPause = TimeSpan.FromHours(1),
        }.SyncAsync(TickJob.Sweep, isDryRun: false, stop.Token);

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sync);
    }

    [Fact]
    public async Task Each_call_has_a_deadline_and_a_routing_header()
    {
        await using var refusing = await RefusingServer.StartAsync(World.Stop);
        using var channel = Open(refusing.Address);
        var jobs = new SchedulerJobs(
            new CloudScheduler.CloudSchedulerClient(channel), "demo", "us-central1", TimeProvider.System)
        {
            FirstPause = TimeSpan.FromMilliseconds(1),
        };

        await Assert.ThrowsAsync<SchedulerException>(
            () => jobs.SyncAsync(TickJob.ScheduleTick, isDryRun: false, World.Stop));

        Assert.Equal(4, refusing.Calls.Count);
        Assert.All(refusing.Calls, call => Assert.True(call.Headers.ContainsKey("grpc-timeout")));
        Assert.All(refusing.Calls, call => Assert.Equal(
            $"name={Uri.EscapeDataString(Tick)}", call.Headers["x-goog-request-params"]));
    }

    private static GrpcChannel Open(Uri address) =>
        GoogleChannel.CreateWithoutRetry(new Uri("https://cloudscheduler.googleapis.com"), address, new GoogleAccess());

    private SchedulerJobs Jobs() => new(Scheduler, "demo", "us-central1", TimeProvider.System)
    {
        FirstPause = TimeSpan.FromMilliseconds(1),
    };

    private Task<SyncedJob> SyncAsync(bool isDryRun = false) =>
        Jobs().SyncAsync(TickJob.ScheduleTick, isDryRun, World.Stop);

    private async Task<Job> GetAsync(string id = "feedback-loop-schedule-tick") => await Scheduler.GetJobAsync(
        new GetJobRequest { Name = $"{Parent}/jobs/{id}" }, cancellationToken: World.Stop);

    private async Task ChangeAsync(Action<Job> change, IEnumerable<string> fields)
    {
        var job = await GetAsync();
        change(job);
        await Scheduler.UpdateJobAsync(
            new UpdateJobRequest { Job = job, UpdateMask = new() { Paths = { fields } } }, cancellationToken: World.Stop);
    }

    private static Job Described(Job job)
    {
        var described = job.Clone();
        (described.UserUpdateTime, described.ScheduleTime) = (null, null);
        return described;
    }
}
