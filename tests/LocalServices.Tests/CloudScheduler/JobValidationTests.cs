using FeedbackLoop.Local.Hosting;
using Google.Cloud.Scheduler.V1;
using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>What Cloud Scheduler refuses to keep, with the field that is wrong.</summary>
public sealed class JobValidationTests : CloudSchedulerTestBase
{
    public static TheoryData<string, Action<Job>> Wrong => new()
    {
        { "job.name", job => job.Name = "hourly" },
        { "job.name", job => job.Name = $"{Parent}/jobs/hour.ly" },
        { "job.name", job => job.Name = $"{Parent}/jobs/{new string('a', 501)}" },
        { "job.name", job => job.Name = "projects/demo/locations/us-east1/jobs/hourly" },
        { "job.description", job => job.Description = new string('a', 501) },
        { "job.schedule", job => job.Schedule = "" },
        { "job.schedule", job => job.Schedule = "0 0 * * * *" },
        { "job.schedule", job => job.Schedule = "60 * * * *" },
        { "job.schedule", job => job.Schedule = "@hourly" },
        { "job.schedule", job => job.Schedule = "H * * * *" },
        { "job.schedule", job => job.TimeZone = "Mars/Olympus" },
        { "job.schedule", job => job.TimeZone = "../../etc/passwd" },
        { "job.target", job => job.PubsubTarget = null },
        { "job.pubsub_target.topic_name", job => job.PubsubTarget.TopicName = "ticks" },
        { "job.pubsub_target.topic_name", job => job.PubsubTarget.TopicName = "projects/demo/topics/t" },
        { "job.pubsub_target.topic_name", job => job.PubsubTarget.TopicName = "projects/other/topics/ticks" },
        { "job.pubsub_target.data", Empty },
        { "job.retry_config.retry_count", job => job.RetryConfig = new RetryConfig { RetryCount = 6 } },
        { "job.retry_config.retry_count", job => job.RetryConfig = new RetryConfig { RetryCount = -1 } },
        { "job", job => job.PubsubTarget.Data = ByteString.CopyFrom(new byte[1_000_000]) },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public async Task A_wrong_job_is_an_invalid_argument(string field, Action<Job> change)
    {
        var refusal = await RefusalOfAsync(() => CreateAsync(change));

        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
        Assert.Equal(field, Assert.Single(refusal.Detail<BadRequest>().FieldViolations).Field);
    }

    [Fact]
    public async Task Data_or_one_attribute_is_enough()
    {
        await CreateAsync(job => job.PubsubTarget.Attributes.Clear());
        await CreateAsync(job =>
        {
            job.Name = $"{Parent}/jobs/other";
            job.PubsubTarget.Data = ByteString.Empty;
        });
    }

    [Theory]
    [InlineData("")]
    [InlineData("utc")]
    [InlineData("UTC")]
    [InlineData("Etc/UTC")]
    public async Task Utc_has_several_names(string zone) =>
        Assert.Equal(
            new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero),
            (await CreateAsync(job => job.TimeZone = zone)).ScheduleTime.ToDateTimeOffset());

    [Theory]
    [InlineData("projects/demo", StatusCode.InvalidArgument)]
    [InlineData("projects/demo/locations/atlantis", StatusCode.NotFound)]
    public async Task A_parent_is_a_location_that_there_is(string parent, StatusCode code)
    {
        var create = new CreateJobRequest { Parent = parent, Job = Hourly(job => job.Name = "") };

        Assert.Equal(code, (await RefusalOfAsync(
            () => Scheduler.CreateJobAsync(create, cancellationToken: Cancel).ResponseAsync)).StatusCode);
        Assert.Equal(code, (await RefusalOfAsync(() => Scheduler.ListJobsAsync(
            new ListJobsRequest { Parent = parent }, cancellationToken: Cancel).ResponseAsync)).StatusCode);
    }

    [Theory]
    [InlineData("every 24 hours")]
    [InlineData("0 0 13 * 5")]
    public async Task A_schedule_that_would_fire_at_other_times_here_is_unimplemented(string schedule) =>
        Assert.Equal(
            StatusCode.Unimplemented, (await RefusalOfAsync(() => CreateAsync(job => job.Schedule = schedule))).StatusCode);

    [Fact]
    public async Task Another_target_than_a_topic_is_unimplemented() => Assert.Equal(
        StatusCode.Unimplemented,
        (await RefusalOfAsync(() => CreateAsync(job => job.HttpTarget = new HttpTarget { Uri = "https://example.org" })))
        .StatusCode);

    [Fact]
    public async Task A_request_without_a_job_is_an_invalid_argument() => Assert.Equal(
        StatusCode.InvalidArgument,
        (await RefusalOfAsync(() => Scheduler.CreateJobAsync(
            new CreateJobRequest { Parent = Parent }, cancellationToken: Cancel).ResponseAsync)).StatusCode);

    private static void Empty(Job job)
    {
        job.PubsubTarget.Data = ByteString.Empty;
        job.PubsubTarget.Attributes.Clear();
    }
}
