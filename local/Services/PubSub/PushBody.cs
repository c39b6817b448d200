using System.Buffers;
using System.Text.Json;
using FeedbackLoop.Local.Hosting;
using Google.Cloud.PubSub.V1;

namespace FeedbackLoop.Local.PubSub;

/// <summary>The JSON of a push request, in the shape of the real service.</summary>
/// <remarks>
/// Both spellings of id and time are sent; empty members are left out, as in the examples of Gmail's push guide.
/// </remarks>
internal static class PushBody
{
    /// <param name="deliveryAttempt">Null without a dead-letter policy: the service counts only with one.</param>
    public static ReadOnlyMemory<byte> Write(PubsubMessage message, string subscription, int? deliveryAttempt)
    {
        var publishTime = GoogleTime.Format(message.PublishTime.ToDateTimeOffset());
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteStartObject("message");
        if (message.Attributes.Count > 0)
        {
            json.WriteStartObject("attributes");
            foreach (var (key, value) in message.Attributes)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }

        if (message.Data.Length > 0)
        {
            json.WriteBase64String("data", message.Data.Span);
        }

        json.WriteString("messageId", message.MessageId);
        json.WriteString("message_id", message.MessageId);
        if (message.OrderingKey.Length > 0)
        {
            json.WriteString("orderingKey", message.OrderingKey);
        }

        json.WriteString("publishTime", publishTime);
        json.WriteString("publish_time", publishTime);
        json.WriteEndObject();
        json.WriteString("subscription", subscription);
        if (deliveryAttempt is { } attempt)
        {
            json.WriteNumber("deliveryAttempt", attempt);
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
