using System.Buffers;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Platform;

/// <summary>
/// Log lines of <see cref="CloudLogFormatter"/>, each written in one piece before the log call returns: .NET's own console logger
/// queues, and on Cloud Run the CPU may be gone once the response is sent.
/// </summary>
/// <param name="output">Standard output, in a deployment.</param>
public sealed class CloudLogProvider(Stream output, CloudLogFormatter formatter) : ILoggerProvider, ISupportExternalScope
{
    private readonly Lock _writing = new();
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    private void Write(ReadOnlySpan<byte> line)
    {
        lock (_writing)
        {
            output.Write(line);
            output.Flush();
        }
    }

    private sealed class Logger(CloudLogProvider provider, string category) : ILogger
    {
        public IDisposable BeginScope<TState>(TState state)
            where TState : notnull =>
            provider._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            var line = new ArrayBufferWriter<byte>(512);
            provider.Formatter.Write(
                line, category, logLevel, formatter(state, exception), state, exception, provider._scopes);
            provider.Write(line.WrittenSpan);
        }
    }

    private CloudLogFormatter Formatter { get; } = formatter;
}
