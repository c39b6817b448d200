using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Access.Tests;

/// <summary>Keeps every line that a host logs, at every level.</summary>
internal sealed class KeptLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> Lines => [.. _lines];

    public void AddTo(ILoggingBuilder logging) =>
        logging.AddProvider(this).SetMinimumLevel(LogLevel.Trace).AddFilter(_ => true);

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        _lines.Enqueue($"{logLevel}: {formatter(state, exception)} {exception}");

    public void Dispose()
    {
    }
}
