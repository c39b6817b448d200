using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>Settings of <see cref="VertexAiServer"/>.</summary>
public sealed class VertexAiOptions
{
    /// <summary>Port of the gRPC services; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>Port of the IAM Credentials API; 0 takes a free one.</summary>
    public int IamPort { get; init; }

    /// <summary>Where <c>gs://</c> objects are read from: the address of a Cloud Storage JSON API.</summary>
    public required Uri StorageAddress { get; init; }

    /// <summary>Keeps jobs and learned models over a restart. Null keeps them in memory only.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Time from the creation of a job until it runs.</summary>
    public TimeSpan PendingDuration { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Shortest time that a job runs; learning itself may take longer.</summary>
    public TimeSpan RunningDuration { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// CreateTuningJob needs a token of <see cref="VertexAiServer.IamAddress"/> that is still valid when the request is
    /// carried out, however late that is.
    /// </summary>
    public bool RequireShortLivedToken { get; init; }

    /// <summary>Models that can be called and tuned.</summary>
    public IReadOnlyList<string> BaseModels { get; init; } =
        ["gemini-3.5-flash", "gemini-3.1-flash-lite", "gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro"];

    /// <summary>Regions that accept tuning jobs.</summary>
    public IReadOnlyList<string> TuningRegions { get; init; } = ["us-central1", "europe-west4"];

    /// <summary>
    /// Examples with more tokens are dropped. Source: page "Tune Gemini models", Limitations, 2026-09-25.
    /// </summary>
    public int MaxExampleTokens { get; init; } = 131_072;

    /// <summary>
    /// Documents of so many characters together are learnt from; the statistics count all. Bounds memory and time: a
    /// million characters take about four seconds.
    /// </summary>
    public long MaxLearnedCharacters { get; init; } = 2_000_000;

    /// <summary>
    /// Epochs of a job that does not say how many; the real service chooses by the size of the dataset.
    /// </summary>
    public int DefaultEpochs { get; init; } = 4;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;
}
