using Grpc.Core;

namespace FeedbackLoop.Local.PubSub;

public sealed class PubSubFaultTests : PubSubTestBase
{
    [Fact]
    public async Task Two_copies_arrive_at_the_same_time()
    {
        var both = new TaskCompletionSource();
        Receiver.Answer = async (_, count, cancellationToken) =>
        {
            if (count == 2)
            {
                both.SetResult();
            }

            await both.Task.WaitAsync(cancellationToken);
            return 204;
        };
        Server.Faults.ConcurrentDeliveries = 2;
        await SubscribeAsync();
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal(2, Receiver.Received.Count);
        Assert.Equal(1, Server.Counters.Acknowledged);
    }

    [Fact]
    public async Task One_acknowledged_copy_is_enough()
    {
        Receiver.Answer = (_, count, _) => Task.FromResult(count == 1 ? 500 : 204);
        Server.Faults.ConcurrentDeliveries = 2;
        await SubscribeAsync();
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal(0, Server.Counters.Redeliveries);
    }

    [Fact]
    public async Task A_late_copy_comes_after_the_acknowledgement_and_may_fail()
    {
        Receiver.Answer = (_, count, _) => Task.FromResult(count == 1 ? 204 : 500);
        Server.Faults.LateDeliveries = 2;
        Server.Faults.LateBy = TimeSpan.FromMilliseconds(5);
        await SubscribeAsync();
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal(3, Receiver.Received.Count);
        Assert.Equal((1, 0), (Server.Counters.Acknowledged, Server.Counters.Redeliveries));
    }

    [Fact]
    public async Task Shuffled_messages_all_arrive_in_another_order()
    {
        string[] sent = [.. Enumerable.Range(0, 20).Select(i => $"m{i}")];
        Server.Faults.Shuffle(seed: 1);
        await SubscribeAsync();
        await PublishAsync(sent);
        await IdleAsync();

        var received = Receiver.Received.Select(push => push.Text).ToList();
        Assert.NotEqual(sent, received);
        Assert.Equal(sent.Order(), received.Order());
    }

    [Fact]
    public async Task Lost_messages_never_arrive_and_are_counted()
    {
        Server.Faults.Lose(share: 0.5, seed: 7);
        await SubscribeAsync();
        await PublishAsync([.. Enumerable.Range(0, 40).Select(i => $"m{i}")]);
        await IdleAsync();

        Assert.InRange(Receiver.Received.Count, 10, 30);
        Assert.Equal(40 - Receiver.Received.Count, Server.Counters.Lost);
    }

    [Fact]
    public async Task A_refused_publish_accepts_nothing()
    {
        await SubscribeAsync();
        Server.Faults.RefusePublish(calls: 1);

        var error = await Assert.ThrowsAsync<RpcException>(() => PublishAsync("a"));
        await PublishAsync("b");
        await IdleAsync();

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Equal(["b"], Receiver.Received.Select(push => push.Text));
    }

    [Fact]
    public async Task A_lost_publish_response_is_an_error_although_the_message_is_in()
    {
        await SubscribeAsync();
        Server.Faults.LosePublishResponse(calls: 1);

        var error = await Assert.ThrowsAsync<RpcException>(() => PublishAsync("a"));
        await IdleAsync();

        Assert.DoesNotContain(error.Trailers, entry => entry.Key == "grpc-status-details-bin");
        Assert.Equal(["a"], Receiver.Received.Select(push => push.Text));
    }
}
