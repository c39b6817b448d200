using Google.Cloud.PubSub.V1;
using Google.Protobuf.WellKnownTypes;

namespace FeedbackLoop.Local.PubSub;

public sealed class RetryDelayTests
{
    private static readonly TimeSpan Immediate = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData(1, 5), InlineData(2, 10), InlineData(3, 20), InlineData(4, 30), InlineData(100, 30)]
    public void The_wait_doubles_up_to_the_maximum(int attempt, double seconds)
    {
        var policy = new RetryPolicy
        {
            MinimumBackoff = Duration.FromTimeSpan(TimeSpan.FromSeconds(5)),
            MaximumBackoff = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
        };

        Assert.Equal(seconds, RetryDelay.After(attempt, policy, Immediate).TotalSeconds);
    }

    [Fact]
    public void An_empty_policy_starts_at_ten_seconds() =>
        Assert.Equal(10, RetryDelay.After(1, new RetryPolicy(), Immediate).TotalSeconds);

    [Fact]
    public void Without_a_policy_the_message_comes_again_at_once() =>
        Assert.Equal(Immediate, RetryDelay.After(7, null, Immediate));
}
