using FeedbackLoop.Testing;
using Google.Cloud.PubSub.V1;
using Google.Protobuf;

namespace FeedbackLoop.Local.PubSub;

public sealed class PushDeliveryTests : PubSubTestBase
{
    [Fact]
    public async Task A_message_arrives_in_the_shape_of_the_real_service()
    {
        await SubscribeAsync();
        var message = new PubsubMessage { Data = ByteString.CopyFromUtf8("{\"x\":1}"), Attributes = { ["k"] = "v" } };
        var response = await Publisher.PublishAsync(
            new PublishRequest { Topic = Topic, Messages = { message } }, cancellationToken: Cancel);
        await IdleAsync();

        var push = Assert.Single(Receiver.Received);
        Assert.Equal("application/json", push.ContentType);
        Assert.Equal("?token=abc", push.Query);
        Assert.Equal("{\"x\":1}", push.Text);
        Assert.Equal("v", push.Message.GetProperty("attributes").GetProperty("k").GetString());
        Assert.Equal(response.MessageIds[0], push.Id);
        Assert.Equal(push.Id, push.Message.GetProperty("message_id").GetString());
        Assert.Equal(
            push.Message.GetProperty("publishTime").GetString(), push.Message.GetProperty("publish_time").GetString());
        Assert.Equal(Subscription, push.Body.GetProperty("subscription").GetString());
        Assert.False(push.Body.TryGetProperty("deliveryAttempt", out _));
    }

    [Fact]
    public async Task An_ordering_key_is_passed_on()
    {
        await SubscribeAsync();
        var message = new PubsubMessage { Data = ByteString.CopyFromUtf8("x"), OrderingKey = "run-1" };
        await Publisher.PublishAsync(
            new PublishRequest { Topic = Topic, Messages = { message } }, cancellationToken: Cancel);
        await IdleAsync();

        Assert.Equal("run-1", Receiver.Received[0].Message.GetProperty("orderingKey").GetString());
    }

    [Fact]
    public async Task A_message_of_attributes_only_has_no_data()
    {
        await SubscribeAsync();
        var message = new PubsubMessage { Attributes = { ["k"] = "v" } };
        await Publisher.PublishAsync(
            new PublishRequest { Topic = Topic, Messages = { message } }, cancellationToken: Cancel);
        await IdleAsync();

        Assert.False(Receiver.Received[0].Message.TryGetProperty("data", out _));
    }

    [Theory]
    [InlineData(200), InlineData(201), InlineData(202), InlineData(204)]
    public async Task A_success_code_acknowledges(int status)
    {
        Receiver.Answer = (_, _, _) => Task.FromResult(status);
        await SubscribeAsync();
        await PublishAsync("a");
        await IdleAsync();

        Assert.Single(Receiver.Received);
        Assert.Equal(1, Server.Counters.Acknowledged);
    }

    [Theory]
    [InlineData(203), InlineData(302), InlineData(400), InlineData(404), InlineData(429), InlineData(500)]
    public async Task Any_other_code_brings_the_message_again_with_the_same_id(int status)
    {
        Receiver.Answer = (_, attempt, _) => Task.FromResult(attempt == 1 ? status : 204);
        await SubscribeAsync();
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal(2, Receiver.Received.Count);
        Assert.Single(Receiver.Received.Select(push => push.Id).Distinct());
        Assert.Equal(1, Server.Counters.Redeliveries);
    }

    [Fact]
    public async Task A_receiver_that_is_not_there_yet_gets_the_message_when_it_is()
    {
        await SubscribeAsync(each => each.PushConfig.PushEndpoint = "http://127.0.0.1:1/");
        await PublishAsync("a");
        await Subscriber.ModifyPushConfigAsync(
            new ModifyPushConfigRequest
            {
                Subscription = Subscription,
                PushConfig = new PushConfig { PushEndpoint = Receiver.Endpoint },
            },
            cancellationToken: Cancel);
        await IdleAsync();

        Assert.Equal("a", Assert.Single(Receiver.Received).Text);
    }

    [Fact]
    public async Task Every_subscription_of_a_topic_gets_the_message()
    {
        await SubscribeAsync();
        await Subscriber.CreateSubscriptionAsync(
            new Subscription
            {
                Name = Subscription + "-2",
                Topic = Topic,
                PushConfig = new PushConfig { PushEndpoint = Receiver.Endpoint },
            },
            cancellationToken: Cancel);
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal(2, Receiver.Received.Count);
    }

    [Fact]
    public async Task No_more_pushes_than_allowed_are_in_flight()
    {
        var gate = new TaskCompletionSource();
        var full = new TaskCompletionSource();
        Receiver.Answer = async (_, count, _) =>
        {
            if (count == 4)
            {
                full.SetResult();
            }

            await gate.Task;
            return 204;
        };
        await SubscribeAsync();
        await PublishAsync([.. Enumerable.Range(0, 20).Select(i => $"m{i}")]);
        await full.Task.WithPatience();
        gate.SetResult();
        await IdleAsync();

        Assert.Equal(20, Receiver.Received.Count);
        Assert.Equal(4, Receiver.MostAtOnce);
    }

    [Fact]
    public async Task The_server_is_not_idle_while_a_receiver_still_publishes()
    {
        Receiver.Answer = async (push, _, _) =>
        {
            if (push.Text.Length < 4)
            {
                await PublishAsync(push.Text + "x");
            }

            return 204;
        };
        await SubscribeAsync();
        await PublishAsync("x");
        await IdleAsync();

        Assert.Equal(["x", "xx", "xxx", "xxxx"], Receiver.Received.Select(push => push.Text));
    }

    [Fact]
    public async Task A_deleted_subscription_gets_nothing_more()
    {
        Receiver.Answer = (_, _, _) => Task.FromResult(500);
        await SubscribeAsync(each => each.RetryPolicy = new RetryPolicy());
        await PublishAsync("a");
        await Subscriber.DeleteSubscriptionAsync(
            new DeleteSubscriptionRequest { Subscription = Subscription }, cancellationToken: Cancel);

        await IdleAsync();
        Assert.Equal(0, Server.Counters.Acknowledged);
    }
}
