using CloudNative.CloudEvents;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Google.Cloud.Functions.Framework;

/// <summary>An HTTP request to a function that receives CloudEvents; 400 for a request without one.</summary>
public sealed class CloudEventAdapter(
    ICloudEventFunction function,
    CloudEventFormatter formatter,
    ILogger<CloudEventAdapter> logger) : IHttpFunction
{
    public async Task HandleAsync(HttpContext context)
    {
        if (await EventRequest.ReadOrRefuseAsync(context, formatter, logger) is { } cloudEvent)
        {
            await function.HandleAsync(cloudEvent, context.RequestAborted);
        }
    }
}

/// <inheritdoc cref="CloudEventAdapter"/>
public sealed class CloudEventAdapter<TData>(
    ICloudEventFunction<TData> function,
    CloudEventFormatter formatter,
    ILogger<CloudEventAdapter<TData>> logger) : IHttpFunction
    where TData : class
{
    /// <summary>
    /// Chosen by dependency injection when no formatter is registered, so that each request says what is missing.
    /// </summary>
    /// <exception cref="InvalidOperationException">Always.</exception>
    [Obsolete("A formatter is required.", error: true)]
    public CloudEventAdapter(ICloudEventFunction<TData> function, ILogger<CloudEventAdapter<TData>> logger)
        : this(function, FormatterIsMissing(), logger)
    {
    }

    public async Task HandleAsync(HttpContext context)
    {
        if (await EventRequest.ReadOrRefuseAsync(context, formatter, logger) is { } cloudEvent)
        {
            // Null for an event without a body: the declared type cannot say so without breaking every function.
            await function.HandleAsync(cloudEvent, (TData)cloudEvent.Data!, context.RequestAborted);
        }
    }

    private static CloudEventFormatter FormatterIsMissing() =>
        throw new InvalidOperationException(
            $"No CloudEvent formatter for {typeof(TData)}: put [CloudEventFormatter] on that type, "
            + "or register a CloudEventFormatter in a FunctionsStartup.");
}
