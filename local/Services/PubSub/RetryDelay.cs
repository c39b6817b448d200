using Google.Cloud.PubSub.V1;

namespace FeedbackLoop.Local.PubSub;

/// <summary>How long a message waits after a delivery that nobody acknowledged.</summary>
internal static class RetryDelay
{
    // Pub/Sub documentation, RetryPolicy.
    private static readonly TimeSpan DefaultMinimum = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan DefaultMaximum = TimeSpan.FromSeconds(600);

    /// <param name="attempt">Deliveries so far, from 1.</param>
    /// <param name="immediate">The wait without a policy, which the service calls "immediate".</param>
    public static TimeSpan After(int attempt, RetryPolicy? policy, TimeSpan immediate)
    {
        if (policy is null)
        {
            return immediate;
        }

        var minimum = policy.MinimumBackoff?.ToTimeSpan() ?? DefaultMinimum;
        var maximum = policy.MaximumBackoff?.ToTimeSpan() ?? DefaultMaximum;
        var seconds = minimum.TotalSeconds * Math.Pow(2, Math.Min(attempt - 1, 30));
        return TimeSpan.FromSeconds(Math.Min(seconds, maximum.TotalSeconds));
    }
}
