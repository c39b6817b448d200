using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>Settings of <see cref="CloudStorageServer"/>.</summary>
public sealed class CloudStorageOptions
{
    /// <summary>0 takes a free port.</summary>
    public int Port { get; init; }

    /// <summary>Holds all buckets and objects; a server that starts here again has them. Made when absent.</summary>
    public required string DataDirectory { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;
}
