using FeedbackLoop.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Local.PubSub;

public sealed class PushTimeoutTests : PubSubTestBase
{
    private static readonly FakeTimeProvider Time = new();

    /// <summary>The shortest deadline is 10 s, by a clock that only the test moves.</summary>
    protected override PubSubOptions Options { get; } = new() { BackoffScale = 0.001, Time = Time };

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
        await Patience.UntilAsync(() => Receiver.Received.Count == 1, () => "the message does not arrive");
        Time.Advance(TimeSpan.FromSeconds(10));
        await Patience.UntilAsync(() => Server.Counters.TimedOut == 1, () => "the push does not time out");

        // By little: the second push has its own ten seconds, from its beginning.
        await Patience.UntilAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromMilliseconds(Server.Counters.Pushes == 1 ? 100 : 0));
                return Server.Counters.Pushes == 2;
            },
            () => "the message does not come again");
        await IdleAsync();

        Assert.Equal(2, Receiver.Received.Count);
        Assert.Equal(1, Server.Counters.TimedOut);
    }
}
