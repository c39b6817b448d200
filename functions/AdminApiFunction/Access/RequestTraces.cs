using FeedbackLoop.Platform;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Trace;

namespace FeedbackLoop.AdminApi.Access;

/// <summary>A span for each request of a person or a worker: where a run's trace begins.</summary>
internal static class RequestTraces
{
    public static IServiceCollection AddRequestTraces(this IServiceCollection services, IConfiguration configuration)
    {
        if (Telemetry.IsExported(configuration))
        {
            Add(services);
        }

        return services;
    }

    // A method of its own, so that without an exporter its types are not even loaded.
    private static void Add(IServiceCollection services) => services.ConfigureOpenTelemetryTracerProvider(
        tracing => tracing.AddAspNetCoreInstrumentation(options => options.Filter = IsAsked));

    // The platform's probes come every few seconds and say nothing.
    private static bool IsAsked(HttpContext context) =>
        context.Request.Path.Value?.EndsWith("/healthz", StringComparison.Ordinal) != true
        && context.Request.Path.Value?.EndsWith("/readyz", StringComparison.Ordinal) != true;
}
