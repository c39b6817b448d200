using System.Net.Mime;
using CloudNative.CloudEvents.Core;
using CloudNative.CloudEvents.Http;
using Microsoft.AspNetCore.Http;

namespace CloudNative.CloudEvents.AspNetCore;

/// <summary>One CloudEvent out of an HTTP request, in binary or structured mode; batches are recognised only.</summary>
public static class HttpRequestExtensions
{
    /// <summary>True for binary mode (header <c>ce-specversion</c>) and structured mode, false for a batch.</summary>
    public static bool IsCloudEvent(this HttpRequest httpRequest) =>
        httpRequest.Headers.ContainsKey(HttpUtilities.SpecVersionHttpHeader)
        || MimeUtilities.IsCloudEventsContentType(httpRequest.ContentType);

    public static bool IsCloudEventBatch(this HttpRequest httpRequest) =>
        MimeUtilities.IsCloudEventsBatchContentType(httpRequest.ContentType);

    /// <inheritdoc cref="ToCloudEventAsync(HttpRequest, CloudEventFormatter, IEnumerable{CloudEventAttribute})"/>
    public static Task<CloudEvent> ToCloudEventAsync(
        this HttpRequest httpRequest,
        CloudEventFormatter formatter,
        params CloudEventAttribute[] extensionAttributes) =>
        httpRequest.ToCloudEventAsync(formatter, (IEnumerable<CloudEventAttribute>)extensionAttributes);

    /// <summary>Consumes the request's body; an empty one leaves the event's data null.</summary>
    /// <exception cref="ArgumentException">
    /// The request holds no CloudEvent, one of an unknown version, or one without a required attribute.
    /// </exception>
    public static async Task<CloudEvent> ToCloudEventAsync(
        this HttpRequest httpRequest,
        CloudEventFormatter formatter,
        IEnumerable<CloudEventAttribute>? extensionAttributes)
    {
        if (MimeUtilities.IsCloudEventsContentType(httpRequest.ContentType))
        {
            var contentType = new ContentType(httpRequest.ContentType!); // null is not the content type of an event
            return await formatter.DecodeStructuredModeMessageAsync(httpRequest.Body, contentType, extensionAttributes);
        }

        if (!httpRequest.Headers.TryGetValue(HttpUtilities.SpecVersionHttpHeader, out var versionId))
        {
            throw new ArgumentException("The request does not hold a CloudEvent.", nameof(httpRequest));
        }

        var version = CloudEventsSpecVersion.FromVersionId(versionId)
            ?? throw new ArgumentException($"CloudEvents version '{versionId}' is unknown.", nameof(httpRequest));
        var cloudEvent = new CloudEvent(version, extensionAttributes);
        foreach (var (header, value) in httpRequest.Headers)
        {
            if (HttpUtilities.GetAttributeNameFromHeaderName(header) is { } attribute
                && attribute != CloudEventsSpecVersion.SpecVersionAttribute.Name)
            {
                cloudEvent.SetAttributeFromString(attribute, HttpUtilities.DecodeHeaderValue(value.ToString()));
            }
        }

        cloudEvent.DataContentType = httpRequest.ContentType;
        formatter.DecodeBinaryModeEventData(await httpRequest.ReadBodyAsync(), cloudEvent);
        return Validation.CheckCloudEventArgument(cloudEvent, nameof(httpRequest));
    }

    internal static async Task<ReadOnlyMemory<byte>> ReadBodyAsync(this HttpRequest httpRequest)
    {
        using var body = new MemoryStream();
        await httpRequest.Body.CopyToAsync(body, httpRequest.HttpContext.RequestAborted);
        return body.ToArray();
    }
}
