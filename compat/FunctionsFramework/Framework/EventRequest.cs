using CloudNative.CloudEvents;
using CloudNative.CloudEvents.AspNetCore;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Google.Cloud.Functions.Framework;

/// <summary>An HTTP request to a CloudEvent: one as it stands, or Pub/Sub's own push format converted to one.</summary>
internal static partial class EventRequest
{
    /// <returns>
    /// <see langword="null"/> when the request holds no event; the status is then 400 and the reason is in the log.
    /// </returns>
    public static async Task<CloudEvent?> ReadOrRefuseAsync(
        HttpContext context, CloudEventFormatter formatter, ILogger logger)
    {
        var request = context.Request;
        try
        {
            return request.IsCloudEvent()
                ? await request.ToCloudEventAsync(formatter)
                : await RawPubSubPush.ReadAsync(request, formatter, logger);
        }
        // A formatter may throw anything over a body it cannot read, and each of those is the sender's trouble.
        catch (Exception e)
        {
            LogRefused(logger, e, e.Message);
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Reason}")]
    private static partial void LogRefused(ILogger logger, Exception exception, string reason);
}
