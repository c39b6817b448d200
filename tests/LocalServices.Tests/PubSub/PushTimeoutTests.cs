namespace FeedbackLoop.Local.PubSub;

public sealed class PushTimeoutTests : PubSubTestBase
{
    /// <summary>The shortest deadline is 10 s; here it lasts 100 ms.</summary>
    protected override PubSubOptions Options { get; } = new() { BackoffScale = 0.001, AckDeadlineScale = 0.01 };

    [Fact]
    public async Task A_receiver_that_is_slower_than_the_deadline_gets_the_message_again()
    {
        Receiver.Answer = async (_, attempt, cancellationToken) =>
        {
            await Task.Delay(attempt == 1 ? Timeout.Infinite : 0, cancellationToken);
            return 204;
        };
        await SubscribeAsync();
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal(2, Receiver.Received.Count);
        Assert.Equal(1, Server.Counters.TimedOut);
    }
}
