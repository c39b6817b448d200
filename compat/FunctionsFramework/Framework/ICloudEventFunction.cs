using CloudNative.CloudEvents;

namespace Google.Cloud.Functions.Framework;

/// <summary>
/// A function that receives CloudEvents; a new instance for each. Unless a startup class registers another formatter,
/// the event's data is a <see cref="System.Text.Json.JsonElement"/>.
/// </summary>
public interface ICloudEventFunction
{
    /// <summary>Returning means 200, an exception 500. The token ends with the request.</summary>
    Task HandleAsync(CloudEvent cloudEvent, CancellationToken cancellationToken);
}

/// <summary>
/// A function that receives CloudEvents with data of one type; a new instance for each. The formatter is the one of the
/// type's <see cref="CloudEventFormatterAttribute"/>, or one that a startup class registers.
/// </summary>
public interface ICloudEventFunction<TData>
    where TData : class
{
    /// <summary>
    /// Returning means 200, an exception 500. The token ends with the request. An event without a body arrives with
    /// <paramref name="data"/> null, against the declared type.
    /// </summary>
    Task HandleAsync(CloudEvent cloudEvent, TData data, CancellationToken cancellationToken);
}
