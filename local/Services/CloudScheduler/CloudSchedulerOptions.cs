using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>Settings of <see cref="CloudSchedulerServer"/>.</summary>
public sealed class CloudSchedulerOptions
{
    /// <summary>0 takes a free port.</summary>
    public int Port { get; init; }

    /// <summary>Where jobs publish: a Pub/Sub over gRPC without TLS, the stand-in or Google's emulator.</summary>
    public required Uri PubSubAddress { get; init; }

    /// <summary>Locations that have Cloud Scheduler; another one is NOT_FOUND.</summary>
    public IReadOnlyList<string> Locations { get; init; } = ["us-central1", "us-east1", "europe-west1", "europe-west4"];

    /// <summary>When jobs are due.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;
}
