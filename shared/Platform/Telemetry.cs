using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace FeedbackLoop.Platform;

/// <summary>Spans and metrics to an OTLP endpoint, where one is configured; without one nothing of it is loaded.</summary>
/// <remarks>
/// OpenTelemetry's own variables are honoured, from the environment or any other configuration:
/// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and <c>_PROTOCOL</c>, <c>OTEL_TRACES_SAMPLER</c> and <c>_ARG</c> (default: as the parent
/// says, and every trace that begins here), <c>OTEL_SERVICE_NAME</c> (default: Cloud Run's name of the service).
/// </remarks>
public static class Telemetry
{
    private static readonly string[] Endpoints =
    [
        "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    ];

    public static bool IsExported(IConfiguration configuration) =>
        Endpoints.Any(name => !string.IsNullOrWhiteSpace(configuration[name]));

    /// <param name="function">Name of the function, where neither Cloud Run nor a setting gives one.</param>
    public static IServiceCollection AddTelemetry(
        this IServiceCollection services, IConfiguration configuration, string function)
    {
        if (IsExported(configuration))
        {
            AddExport(services, configuration, function);
        }

        return services;
    }

    /// <summary>Put in front of everything, so that what the others do has ended when it is sent.</summary>
    public static IApplicationBuilder UseTelemetry(this IApplicationBuilder app, IConfiguration configuration) =>
        IsExported(configuration) ? app.UseMiddleware<TelemetryFlush>() : app;

    private static void AddExport(IServiceCollection services, IConfiguration configuration, string function) => services
        .AddOpenTelemetry()
        .ConfigureResource(resource => Describe(resource, configuration, function))
        .WithTracing(tracing => tracing
            .AddSource(PipelineTraces.SourceName)
            .AddNpgsql()
            .AddHttpClientInstrumentation()
            .AddOtlpExporter(exporter => Bound(exporter, configuration)))
        .WithMetrics(metrics => metrics
            .AddMeter(PipelineMetrics.MeterName, "Npgsql", "Microsoft.AspNetCore.Hosting", "System.Runtime")
            .AddOtlpExporter(exporter => Bound(exporter, configuration)));

    // Flushing metrics waits for the exporter, whatever bound it is given: this is the one that holds. Its default is ten seconds.
    private static void Bound(OtlpExporterOptions exporter, IConfiguration configuration)
    {
        if (string.IsNullOrWhiteSpace(configuration["OTEL_EXPORTER_OTLP_TIMEOUT"]))
        {
            exporter.TimeoutMilliseconds = TelemetryFlush.LongestWaitMs;
        }
    }

    private static void Describe(ResourceBuilder resource, IConfiguration configuration, string function)
    {
        var service = configuration["K_SERVICE"];
        resource.AddService(service ?? function, serviceVersion: configuration["K_REVISION"]);
        if (service is not null)
        {
            resource.AddAttributes(
            [
                new("cloud.provider", "gcp"),
                new("cloud.platform", "gcp_cloud_run"),
                new("faas.name", service),
            ]);
        }

        // Last, so that what an operator sets wins.
        resource.AddEnvironmentVariableDetector();
    }
}

/// <summary>
/// Sends what is waiting before the last running request of this instance is answered. Cloud Run takes the CPU away once no
/// request runs, and an exporter's timer stands still with it: spans would leave hours later, or never.
/// </summary>
internal sealed class TelemetryFlush(RequestDelegate next, TracerProvider traces, MeterProvider metrics)
{
    /// <summary>An endpoint that is away must not hold up the chain: its spans are lost, the work is not.</summary>
    public const int LongestWaitMs = 1_000;

    private int _running;

    public async Task InvokeAsync(HttpContext context)
    {
        Interlocked.Increment(ref _running);
        try
        {
            await next(context);
        }
        finally
        {
            // While others run there is CPU, and the last of them sends for all.
            if (Interlocked.Decrement(ref _running) == 0)
            {
                traces.ForceFlush(LongestWaitMs);
                metrics.ForceFlush(LongestWaitMs);
            }
        }
    }
}
