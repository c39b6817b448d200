using System.Buffers;
using System.Globalization;
using System.Net.Mime;
using System.Text.Json;
using System.Text.RegularExpressions;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.AspNetCore;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Google.Cloud.Functions.Framework;

/// <summary>
/// The request of a Pub/Sub push subscription, <c>{"message": {…}, "subscription": "…"}</c> without CloudEvent headers,
/// to the event that Eventarc would have made of it. Reads and writes JSON without reflection.
/// </summary>
internal static partial class RawPubSubPush
{
    private const string EventType = "google.cloud.pubsub.topic.v1.messagePublished";

    // The members of the older background events: a body that mixes them with a push is neither.
    private static readonly string[] BackgroundEventMembers =
        ["data", "context", "eventId", "eventType", "params", "domain", "timestamp"];

    /// <summary>
    /// The push does not name its topic, so it is taken from the request's path, <c>/projects/P/topics/T</c>. Members
    /// beside message and subscription are dropped, <c>deliveryAttempt</c> among them.
    /// </summary>
    /// <exception cref="InvalidDataException">The request is not a push.</exception>
    /// <exception cref="JsonException">The body is not JSON.</exception>
    public static async Task<CloudEvent> ReadAsync(HttpRequest request, CloudEventFormatter formatter, ILogger logger)
    {
        // Exactly so: a charset is refused as well.
        if (request.ContentType != MediaTypeNames.Application.Json)
        {
            throw new InvalidDataException(
                $"Neither a CloudEvent nor '{MediaTypeNames.Application.Json}': '{request.ContentType}'.");
        }

        using var body = JsonDocument.Parse(await request.ReadBodyAsync());
        var (message, subscription) = FindMessage(body.RootElement);
        var id = FindString(message, "messageId")
            ?? throw new InvalidDataException("The Pub/Sub message has no 'messageId'.");
        var (project, topic) = FindTopic(request, logger);

        var cloudEvent = new CloudEvent
        {
            Id = id,
            Type = EventType,
            Source = new Uri($"//pubsub.googleapis.com/projects/{project}/topics/{topic}", UriKind.Relative),
            Time = FindPublishTime(message),
            DataContentType = MediaTypeNames.Application.Json,
            ["topic"] = topic,
        };
        formatter.DecodeBinaryModeEventData(WriteData(message, subscription), cloudEvent);
        return cloudEvent;
    }

    private static (JsonElement Message, string Subscription) FindMessage(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException("The body is not a JSON object.");
        }

        if (Find(body, "message") is not { ValueKind: JsonValueKind.Object } message
            || FindString(body, "subscription") is not { } subscription)
        {
            throw new InvalidDataException("The body has no Pub/Sub 'message' and 'subscription'.");
        }

        if (Array.Find(BackgroundEventMembers, name => Find(body, name) is not null) is { } stranger)
        {
            throw new InvalidDataException($"The body has '{stranger}' beside a Pub/Sub message.");
        }

        return (message, subscription);
    }

    private static (string Project, string Topic) FindTopic(HttpRequest request, ILogger logger)
    {
        var path = request.Path.Value ?? "";
        if (TopicPath().Match(path) is { Success: true } match)
        {
            return (match.Groups["project"].Value, match.Groups["topic"].Value);
        }

        LogTopicUnknown(logger, path);
        return ("unknown-project!", "unknown-topic!");
    }

    /// <summary>Null when absent or unreadable: an event does not need a time.</summary>
    private static DateTimeOffset? FindPublishTime(JsonElement message) =>
        DateTimeOffset.TryParseExact(
            FindString(message, "publishTime"), "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'",
            CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;

    private static ReadOnlyMemory<byte> WriteData(JsonElement message, string subscription)
    {
        var data = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(data))
        {
            json.WriteStartObject();
            json.WritePropertyName("message");
            message.WriteTo(json);
            json.WriteString("subscription", subscription);
            json.WriteEndObject();
        }

        return data.WrittenMemory;
    }

    /// <summary>Null when the member is absent or is JSON's null.</summary>
    private static JsonElement? Find(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : null;

    private static string? FindString(JsonElement parent, string name) =>
        Find(parent, name) is { ValueKind: JsonValueKind.String } member ? member.GetString() : null;

    [GeneratedRegex("^/?projects/(?<project>[^/]+)/topics/(?<topic>[^/]+)$")]
    private static partial Regex TopicPath();

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Path {Path} does not name the message's topic; let the subscription push to /projects/P/topics/T")]
    private static partial void LogTopicUnknown(ILogger logger, string path);
}
