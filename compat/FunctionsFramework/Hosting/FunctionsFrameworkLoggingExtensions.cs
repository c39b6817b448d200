using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.Extensions.Logging;

/// <summary>Logs to standard output, where Cloud Logging collects them.</summary>
public static class FunctionsFrameworkLoggingExtensions
{
    /// <summary>
    /// One JSON object per line on Cloud Run, else <c>timestamp [category] [level] message</c>. Adds to the providers
    /// that are there; clear them first.
    /// </summary>
    public static ILoggingBuilder AddFunctionsConsoleLogging(
        this ILoggingBuilder builder, WebHostBuilderContext context)
    {
        ILogFormat format = FunctionsSettings.From(context.Configuration).JsonLogging
            ? new JsonLogFormat()
            : new PlainLogFormat(TimeProvider.System);
        builder.Services.AddSingleton<ILoggerProvider>(_ => new ConsoleLogProvider(format));
        return builder;
    }
}
