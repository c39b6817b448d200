using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FeedbackLoop.Local.PubSub;

/// <summary>Settings of <see cref="PubSubServer"/>.</summary>
public sealed record PubSubOptions
{
    /// <summary>0 takes a free port.</summary>
    public int Port { get; init; }

    /// <summary>Push requests in flight per subscription.</summary>
    public int MaxConcurrentPushes { get; init; } = 8;

    /// <summary>
    /// Multiplies every wait between two deliveries of a message. A subscription's shortest back-off is 10 s when it
    /// does not say otherwise; 0.001 makes it 10 ms.
    /// </summary>
    public double BackoffScale { get; init; } = 1;

    /// <summary>
    /// Multiplies the time that a push request may take: the subscription's acknowledgement deadline.
    /// </summary>
    public double AckDeadlineScale { get; init; } = 1;

    /// <summary>Wait before the redelivery when a subscription has no retry policy.</summary>
    public TimeSpan ImmediateRetryDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Makes the token of a push, from the account that its subscription names and the audience: what Google's accounts do.
    /// Null refuses subscriptions that want one, instead of pushing to them without.
    /// </summary>
    public Func<string, string, string>? SignPush { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;
}
