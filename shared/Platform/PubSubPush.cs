using System.Text.Json;
using System.Text.Json.Serialization;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.SystemTextJson;

namespace FeedbackLoop.Platform;

/// <summary>The body of a Pub/Sub push, as the Functions Framework hands it over.</summary>
[CloudEventFormatter(typeof(PubSubPushFormatter))]
public sealed record PubSubPush(
    [property: JsonPropertyName("message")] PubSubMessage Message,
    [property: JsonPropertyName("subscription")] string? Subscription);

/// <param name="MessageId">Given by Pub/Sub; the same at every delivery of one message.</param>
/// <param name="Data">The payload; null or empty for a message of attributes only.</param>
/// <param name="Attributes">Set by the sender; ours carry the topic under <c>message</c>.</param>
public sealed record PubSubMessage(
    [property: JsonPropertyName("messageId")] string MessageId,
    [property: JsonPropertyName("data")] byte[]? Data,
    [property: JsonPropertyName("attributes")] IReadOnlyDictionary<string, string>? Attributes);

/// <summary>Reads a push without reflection.</summary>
public sealed class PubSubPushFormatter : JsonEventFormatter<PubSubPush>
{
    public PubSubPushFormatter()
        : base(new JsonSerializerOptions { TypeInfoResolver = PubSubPushJson.Default }, default)
    {
    }
}

[JsonSourceGenerationOptions(RespectRequiredConstructorParameters = false)]
[JsonSerializable(typeof(PubSubPush))]
internal sealed partial class PubSubPushJson : JsonSerializerContext;
