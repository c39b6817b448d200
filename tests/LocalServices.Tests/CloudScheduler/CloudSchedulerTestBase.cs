using FeedbackLoop.Local.PubSub;
using FeedbackLoop.Testing;
using Google.Cloud.PubSub.V1;
using Google.Cloud.Scheduler.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Time.Testing;
using Service = Google.Cloud.Scheduler.V1.CloudScheduler;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>Cloud Scheduler on a clock that stands still, in front of a Pub/Sub that pushes to a receiver.</summary>
public abstract class CloudSchedulerTestBase : IAsyncLifetime
{
    protected const string Parent = "projects/demo/locations/us-central1";
    protected const string JobName = Parent + "/jobs/hourly";
    protected const string Topic = "projects/demo/topics/ticks";

    private PubSubServer _pubSub = null!; // these are set before any test runs
    private GrpcChannel _pubSubChannel = null!;
    private GrpcChannel _channel = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 23, 9, 20, 0, TimeSpan.Zero));

    protected CloudSchedulerServer Server { get; private set; } = null!;

    protected PushReceiver Receiver { get; private set; } = null!;

    protected Service.CloudSchedulerClient Scheduler => new(_channel);

    protected PubSubFaults PubSubFaults => _pubSub.Faults;

    public async ValueTask InitializeAsync()
    {
        _pubSub = await PubSubServer.StartAsync(new PubSubOptions { BackoffScale = 0.001 }, Cancel);
        _pubSubChannel = GrpcChannel.ForAddress(_pubSub.Address);
        Receiver = await PushReceiver.StartAsync(Cancel);
        Server = await CloudSchedulerServer.StartAsync(
            new CloudSchedulerOptions { PubSubAddress = _pubSub.Address, Time = Time }, Cancel);
        _channel = GrpcChannel.ForAddress(Server.Address);
        await new Publisher.PublisherClient(_pubSubChannel).CreateTopicAsync(
            new Topic { Name = Topic }, cancellationToken: Cancel);
        await new Subscriber.SubscriberClient(_pubSubChannel).CreateSubscriptionAsync(
            new Subscription
            {
                Name = "projects/demo/subscriptions/ticks",
                Topic = Topic,
                PushConfig = new PushConfig { PushEndpoint = Receiver.Endpoint },
            },
            cancellationToken: Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await Server.DisposeAsync();
        _pubSubChannel.Dispose();
        await Receiver.DisposeAsync();
        await _pubSub.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected static Job Hourly(Action<Job>? change = null)
    {
        var job = new Job
        {
            Name = JobName,
            Description = "ticks",
            Schedule = "0 * * * *",
            TimeZone = "Etc/UTC",
            PubsubTarget = new PubsubTarget
            {
                TopicName = Topic,
                Data = ByteString.CopyFromUtf8("{}"),
                Attributes = { ["message"] = "ticks" },
            },
        };
        change?.Invoke(job);
        return job;
    }

    protected async Task<Job> CreateAsync(Action<Job>? change = null) => await Scheduler.CreateJobAsync(
        new CreateJobRequest { Parent = Parent, Job = Hourly(change) }, cancellationToken: Cancel);

    protected async Task<Job> GetAsync() =>
        await Scheduler.GetJobAsync(new GetJobRequest { Name = JobName }, cancellationToken: Cancel);

    protected async Task<Job> UpdateAsync(Job change, params string[] paths) => await Scheduler.UpdateJobAsync(
        new UpdateJobRequest { Job = change, UpdateMask = new FieldMask { Paths = { paths } } },
        cancellationToken: Cancel);

    /// <summary>Moves the clock, and returns when what came due has arrived.</summary>
    protected async Task AdvanceAsync(TimeSpan by)
    {
        Time.Advance(by);
        await SettleAsync();
    }

    protected async Task SettleAsync()
    {
        await Server.WaitUntilIdleAsync(Cancel).WithPatience();
        await _pubSub.WaitUntilIdleAsync(Cancel).WithPatience();
    }

    protected static async Task<RpcException> RefusalOfAsync<T>(Func<Task<T>> call) =>
        await Assert.ThrowsAsync<RpcException>(call);
}
