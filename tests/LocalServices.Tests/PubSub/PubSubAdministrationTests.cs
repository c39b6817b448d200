using FeedbackLoop.Local.Hosting;
using Google.Cloud.PubSub.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace FeedbackLoop.Local.PubSub;

public sealed class PubSubAdministrationTests : PubSubTestBase
{
    [Fact]
    public async Task Topics_and_subscriptions_are_listed_page_by_page()
    {
        await SubscribeAsync();
        await Publisher.CreateTopicAsync(new Topic { Name = DeadTopic }, cancellationToken: Cancel);

        var first = await Publisher.ListTopicsAsync(
            new ListTopicsRequest { Project = "projects/demo", PageSize = 1 }, cancellationToken: Cancel);
        var second = await Publisher.ListTopicsAsync(
            new ListTopicsRequest { Project = "projects/demo", PageSize = 1, PageToken = first.NextPageToken },
            cancellationToken: Cancel);
        var subscriptions = await Subscriber.ListSubscriptionsAsync(
            new ListSubscriptionsRequest { Project = "projects/demo" }, cancellationToken: Cancel);

        Assert.Equal(
            [Topic, DeadTopic], first.Topics.Concat(second.Topics).Select(topic => topic.Name));
        Assert.Equal("", second.NextPageToken);
        Assert.Equal(Subscription, Assert.Single(subscriptions.Subscriptions).Name);
    }

    [Fact]
    public async Task Defaults_of_the_service_are_filled_in()
    {
        await SubscribeAsync();

        var subscription = await Subscriber.GetSubscriptionAsync(
            new GetSubscriptionRequest { Subscription = Subscription }, cancellationToken: Cancel);

        Assert.Equal(10, subscription.AckDeadlineSeconds);
        Assert.Equal(TimeSpan.FromDays(7), subscription.MessageRetentionDuration.ToTimeSpan());
    }

    [Fact]
    public async Task What_exists_cannot_be_made_again()
    {
        await SubscribeAsync();

        Assert.Equal(
            StatusCode.AlreadyExists,
            await StatusOfAsync(Publisher.CreateTopicAsync(new Topic { Name = Topic }, cancellationToken: Cancel)));
        Assert.Equal(
            StatusCode.AlreadyExists,
            await StatusOfAsync(Subscriber.CreateSubscriptionAsync(
                new Subscription { Name = Subscription, Topic = Topic }, cancellationToken: Cancel)));
    }

    [Fact]
    public async Task What_does_not_exist_is_not_found()
    {
        Assert.Equal(
            StatusCode.NotFound,
            await StatusOfAsync(Publisher.GetTopicAsync(
                new GetTopicRequest { Topic = Topic }, cancellationToken: Cancel)));
        Assert.Equal(
            StatusCode.NotFound,
            await StatusOfAsync(Subscriber.CreateSubscriptionAsync(
                new Subscription { Name = Subscription, Topic = Topic }, cancellationToken: Cancel)));
        await Assert.ThrowsAsync<RpcException>(() => PublishAsync("a"));
    }

    public static TheoryData<Subscription> Wrong =>
    [
        new Subscription { Name = "raw-push", Topic = Topic },
        new Subscription { Name = Subscription, Topic = Topic, AckDeadlineSeconds = 700 },
        new Subscription { Name = Subscription, Topic = Topic, PushConfig = new PushConfig { PushEndpoint = "x" } },
        new Subscription
        {
            Name = Subscription,
            Topic = Topic,
            RetryPolicy = new RetryPolicy { MaximumBackoff = Duration.FromTimeSpan(TimeSpan.FromSeconds(700)) },
        },
        new Subscription
        {
            Name = Subscription,
            Topic = Topic,
            DeadLetterPolicy = new DeadLetterPolicy { DeadLetterTopic = Topic, MaxDeliveryAttempts = 4 },
        },
    ];

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public async Task A_wrong_subscription_is_refused_with_the_field_that_is_wrong(Subscription subscription)
    {
        await Publisher.CreateTopicAsync(new Topic { Name = Topic }, cancellationToken: Cancel);

        var error = await Assert.ThrowsAsync<RpcException>(() =>
            Subscriber.CreateSubscriptionAsync(subscription, cancellationToken: Cancel).ResponseAsync);

        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Single(error.Detail<BadRequest>().FieldViolations);
    }

    [Fact]
    public async Task What_the_stand_in_cannot_do_is_refused_and_not_ignored()
    {
        await Publisher.CreateTopicAsync(new Topic { Name = Topic }, cancellationToken: Cancel);
        var filtered = new Subscription { Name = Subscription, Topic = Topic, Filter = "attributes:x" };

        Assert.Equal(
            StatusCode.Unimplemented,
            await StatusOfAsync(Subscriber.CreateSubscriptionAsync(filtered, cancellationToken: Cancel)));
        Assert.Equal(
            StatusCode.Unimplemented,
            await StatusOfAsync(Subscriber.PullAsync(
                new PullRequest { Subscription = Subscription, MaxMessages = 1 }, cancellationToken: Cancel)));
    }

    [Fact]
    public async Task An_empty_message_and_a_request_that_is_too_large_are_refused()
    {
        await SubscribeAsync();
        var tooLarge = new PubsubMessage { Data = ByteString.CopyFrom(new byte[10_000_001]) };

        Assert.Equal(StatusCode.InvalidArgument, await StatusOfAsync(Publisher.PublishAsync(
            new PublishRequest { Topic = Topic, Messages = { new PubsubMessage() } }, cancellationToken: Cancel)));
        Assert.Equal(StatusCode.InvalidArgument, await StatusOfAsync(Publisher.PublishAsync(
            new PublishRequest { Topic = Topic, Messages = { tooLarge } }, cancellationToken: Cancel)));
    }

    [Fact]
    public async Task An_update_changes_the_fields_of_its_mask_only()
    {
        await SubscribeAsync();

        var updated = await Subscriber.UpdateSubscriptionAsync(
            new UpdateSubscriptionRequest
            {
                Subscription = new Subscription
                {
                    Name = Subscription,
                    AckDeadlineSeconds = 60,
                    PushConfig = new PushConfig { PushEndpoint = "http://127.0.0.1:2/" },
                },
                UpdateMask = new FieldMask { Paths = { "push_config" } },
            },
            cancellationToken: Cancel);

        Assert.Equal("http://127.0.0.1:2/", updated.PushConfig.PushEndpoint);
        Assert.Equal(10, updated.AckDeadlineSeconds);
    }
}
