using FeedbackLoop.Testing;
using Google.Cloud.PubSub.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace FeedbackLoop.Local.PubSub;

/// <summary>One server, one receiver and real clients for each test.</summary>
public abstract class PubSubTestBase : IAsyncLifetime
{
    protected const string Topic = "projects/demo/topics/raw";
    protected const string Subscription = "projects/demo/subscriptions/raw-push";
    protected const string DeadTopic = "projects/demo/topics/raw-dead";

    private GrpcChannel _channel = null!; // these three are set before any test runs

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected PubSubServer Server { get; private set; } = null!;

    protected PushReceiver Receiver { get; private set; } = null!;

    protected Publisher.PublisherClient Publisher => new(_channel);

    protected Subscriber.SubscriberClient Subscriber => new(_channel);

    protected virtual PubSubOptions Options { get; } = new() { BackoffScale = 0.001, MaxConcurrentPushes = 4 };

    public async ValueTask InitializeAsync()
    {
        Server = await PubSubServer.StartAsync(Options, Cancel);
        Receiver = await PushReceiver.StartAsync(Cancel);
        _channel = GrpcChannel.ForAddress(
            Server.Address, new GrpcChannelOptions { MaxReceiveMessageSize = null, MaxSendMessageSize = null });
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await Receiver.DisposeAsync();
        await Server.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task SubscribeAsync(Action<Subscription>? change = null)
    {
        await Publisher.CreateTopicAsync(new Topic { Name = Topic }, cancellationToken: Cancel);
        var subscription = new Subscription
        {
            Name = Subscription,
            Topic = Topic,
            PushConfig = new PushConfig { PushEndpoint = Receiver.Endpoint },
        };
        change?.Invoke(subscription);
        await Subscriber.CreateSubscriptionAsync(subscription, cancellationToken: Cancel);
    }

    protected async Task<IReadOnlyList<string>> PublishAsync(params string[] texts)
    {
        var request = new PublishRequest { Topic = Topic };
        request.Messages.AddRange(texts.Select(text => new PubsubMessage { Data = ByteString.CopyFromUtf8(text) }));
        return (await Publisher.PublishAsync(request, cancellationToken: Cancel)).MessageIds;
    }

    protected Task IdleAsync() => Server.WaitUntilIdleAsync(Cancel).WithPatience();

    protected static async Task<StatusCode> StatusOfAsync<T>(AsyncUnaryCall<T> call) =>
        (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode;
}
