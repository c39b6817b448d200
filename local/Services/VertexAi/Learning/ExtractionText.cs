using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>The answer of a model as JSON text, in the shape of the training examples.</summary>
internal static class ExtractionText
{
    private static readonly JsonWriterOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Write(Extraction extraction)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, Readable);
        json.WriteStartObject();
        json.WriteStartArray("entities");
        foreach (var entity in extraction.Entities)
        {
            json.WriteStartObject();
            json.WriteString("type", entity.Type);
            json.WriteString("name", entity.Name);
            json.WriteString("description", entity.Description);
            json.WriteNull("business_key");
            json.WriteStartObject("properties");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("relationships");
        foreach (var relationship in extraction.Relationships)
        {
            json.WriteStartObject();
            json.WriteString("source_name", relationship.Source);
            json.WriteString("target_name", relationship.Target);
            json.WriteString("type", relationship.Type);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <returns>
    /// Null when the text is no such answer. A model can be tuned on it, but there is nothing to learn here.
    /// </returns>
    public static Extraction? Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            ExtractedEntity[] entities = [.. Items(root, "entities").Select(ReadEntity).OfType<ExtractedEntity>()];
            return new Extraction(
                entities,
                [
                    .. Items(root, "relationships")
                        .Where(item => Means(item, "source", entities) && Means(item, "target", entities))
                        .Select(ReadRelationship).OfType<ExtractedRelationship>(),
                ]);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ExtractedEntity? ReadEntity(JsonElement item) =>
        (Text(item, "type"), Text(item, "name")) is ({ Length: > 0 } type, { Length: > 0 } name)
            ? new ExtractedEntity(type, name, Text(item, "description") ?? "")
            : null;

    // What is learnt gives a name one type, that of its first entity: a relationship of another one of the name is none of its.
    private static bool Means(JsonElement item, string end, ExtractedEntity[] entities) =>
        Text(item, $"{end}_type") is not { Length: > 0 } type
        || entities.FirstOrDefault(each => each.Name == Text(item, $"{end}_name")) is not { } first
        || first.Type == type;

    private static ExtractedRelationship? ReadRelationship(JsonElement item) =>
        (Text(item, "source_name"), Text(item, "target_name"), Text(item, "type"))
            is ({ Length: > 0 } source, { Length: > 0 } target, { Length: > 0 } type)
            ? new ExtractedRelationship(source, target, type)
            : null;

    private static IEnumerable<JsonElement> Items(JsonElement root, string name) =>
        root.TryGetProperty(name, out var items) && items.ValueKind == JsonValueKind.Array
            ? items.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object)
            : [];

    private static string? Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
