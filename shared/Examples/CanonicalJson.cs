using System.Buffers;
using System.Text.Json;
using FeedbackLoop.Platform;

namespace FeedbackLoop.Examples;

/// <summary>JSON in one form: members in ordinal order, no spaces, numbers as they were written.</summary>
public static class CanonicalJson
{
    /// <summary>Deeper than any reader of ours goes, so that depth is refused by a rule and not by an accident.</summary>
    public const int MaxDepth = 1_000;

    public static JsonWriterOptions WriterOptions { get; } = new()
    {
        // The lines are read by a JSON parser, never by a browser: an escape that JSON does not demand would be learnt.
        Encoder = PlainEncoder.Instance,
        MaxDepth = MaxDepth,
        SkipValidation = true,
    };

    private static readonly JsonDocumentOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    /// <summary>Parses a JSON text as deep as <see cref="MaxDepth"/>.</summary>
    /// <exception cref="JsonException">Not JSON, or deeper.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json) => JsonDocument.Parse(json, ReaderOptions);

    public static void Write(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(value.GetString());
                break;
            case JsonValueKind.Number:
                writer.WriteRawValue(value.GetRawText(), skipInputValidation: true);
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    public static byte[] ToBytes(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            write(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }
}
