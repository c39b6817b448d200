using Microsoft.Extensions.Logging;

namespace Google.Cloud.Functions.Hosting;

/// <summary>
/// Standard output, written before the log call returns: .NET's own console logger queues, and on Cloud Run the CPU may
/// be gone once the response is sent.
/// </summary>
internal sealed class ConsoleLogProvider(ILogFormat format) : ILoggerProvider, ISupportExternalScope
{
    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public ILogger CreateLogger(string categoryName) => new Logger(this, format, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    private sealed class Logger(ConsoleLogProvider provider, ILogFormat format, string category) : ILogger
    {
        public IDisposable BeginScope<TState>(TState state)
            where TState : notnull =>
            provider._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            var message = formatter(state, exception);
            var entry = new LogEntry(category, logLevel, message, exception, state, provider._scopes);
            Console.Out.WriteLine(format.Format(entry));
        }
    }
}
