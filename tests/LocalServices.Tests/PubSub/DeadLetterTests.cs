using Google.Cloud.PubSub.V1;

namespace FeedbackLoop.Local.PubSub;

public sealed class DeadLetterTests : PubSubTestBase
{
    [Fact]
    public async Task A_message_is_given_up_after_the_last_attempt()
    {
        Receiver.Answer = (_, _, _) => Task.FromResult(500);
        await SubscribeWithDeadLettersAsync();
        await PublishAsync("poison");
        await IdleAsync();

        Assert.Equal(
            [1, 2, 3, 4, 5], Receiver.Received.Select(push => push.Body.GetProperty("deliveryAttempt").GetInt32()));
        var letter = Assert.Single(Server.DeadLetters);
        Assert.Equal((Subscription, DeadTopic), (letter.Subscription, letter.DeadLetterTopic));
        Assert.Equal("poison", letter.Message.Data.ToStringUtf8());
        Assert.Equal("5", letter.Message.Attributes["CloudPubSubDeadLetterSourceDeliveryCount"]);
        Assert.Equal("raw-push", letter.Message.Attributes["CloudPubSubDeadLetterSourceSubscription"]);
        Assert.Equal("demo", letter.Message.Attributes["CloudPubSubDeadLetterSourceSubscriptionProject"]);
        Assert.Contains("CloudPubSubDeadLetterSourceTopicPublishTime", letter.Message.Attributes.Keys);
        Assert.NotEqual(Receiver.Received[0].Id, letter.Message.MessageId);
    }

    [Fact]
    public async Task A_subscription_of_the_dead_letter_topic_receives_it()
    {
        Receiver.Answer = (push, _, _) => Task.FromResult(
            push.Body.GetProperty("subscription").GetString() == Subscription ? 500 : 204);
        await SubscribeWithDeadLettersAsync();
        await Subscriber.CreateSubscriptionAsync(
            new Subscription
            {
                Name = "projects/demo/subscriptions/dead-push",
                Topic = DeadTopic,
                PushConfig = new PushConfig { PushEndpoint = Receiver.Endpoint },
            },
            cancellationToken: Cancel);
        await PublishAsync("poison");
        await IdleAsync();

        Assert.Equal("poison", Receiver.Received[^1].Text);
        Assert.Equal(Server.DeadLetters[0].Message.MessageId, Receiver.Received[^1].Id);
    }

    [Fact]
    public async Task Without_the_dead_letter_topic_delivery_goes_on()
    {
        Receiver.Answer = (_, attempt, _) => Task.FromResult(attempt < 9 ? 500 : 204);
        await SubscribeWithDeadLettersAsync();
        await Publisher.DeleteTopicAsync(new DeleteTopicRequest { Topic = DeadTopic }, cancellationToken: Cancel);
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal(9, Receiver.Received.Count);
        Assert.Empty(Server.DeadLetters);
    }

    private async Task SubscribeWithDeadLettersAsync()
    {
        await Publisher.CreateTopicAsync(new Topic { Name = DeadTopic }, cancellationToken: Cancel);
        await SubscribeAsync(each => each.DeadLetterPolicy = new DeadLetterPolicy
        {
            DeadLetterTopic = DeadTopic,
            MaxDeliveryAttempts = 5,
        });
    }
}
