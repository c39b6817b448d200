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

    /// <param name="rewrite">Applied to every string and number (as text); null leaves them.</param>
    public static void Write(Utf8JsonWriter writer, JsonElement value, Func<string, string>? rewrite)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject().OrderBy(m => m.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    Write(writer, member.Value, rewrite);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(writer, item, rewrite);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String when rewrite is not null:
                writer.WriteStringValue(rewrite(value.GetString()!));
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(value.GetString());
                break;
            case JsonValueKind.Number:
                WriteNumber(writer, value.GetRawText(), rewrite);
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    /// <summary>Every string, and every number as text, in no particular order; names of members are not among them.</summary>
    public static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(m => Texts(m.Value)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Texts),
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Number => [value.GetRawText()],
        _ => [],
    };

    public static byte[] ToBytes(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            write(writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    // A rewritten number is text from then on.
    private static void WriteNumber(Utf8JsonWriter writer, string number, Func<string, string>? rewrite)
    {
        var rewritten = rewrite?.Invoke(number) ?? number;
        if (rewritten == number)
        {
            writer.WriteRawValue(number, skipInputValidation: true);
        }
        else
        {
            writer.WriteStringValue(rewritten);
        }
    }
}
