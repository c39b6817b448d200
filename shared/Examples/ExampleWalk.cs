using System.Buffers;
using System.Text.Json;
using FeedbackLoop.Pii;

namespace FeedbackLoop.Examples;

/// <summary>
/// The one way through an example: the text, then each entity's name, description, business key and properties (a member's name
/// before its value), then the relationships. Their ends are names of entities, and become what those become.
/// </summary>
internal static class ExampleWalk
{
    /// <summary>Bytes of JSON in which personal data, or a character that may be read as a digit, shows.</summary>
    private static readonly SearchValues<byte> Harmless = SearchValues.Create(
        [.. Enumerable.Range(0, 0x80).Select(b => (byte)b).Where(b => b is not ((byte)'@' or (byte)'&' or (byte)'\\')
            && !char.IsAsciiDigit((char)b))]);

    /// <summary>Shows every place behind the text; builds nothing.</summary>
    public static void Through(TrainingExample example, Action<ExamplePlace> look)
    {
        foreach (var entity in example.Entities)
        {
            var label = new MemberLabel(null, entity.Type);
            look(Text(entity.Name, label));
            look(Text(entity.Description, null));
            if (entity.BusinessKey is not null)
            {
                look(Text(entity.BusinessKey, label));
            }

            if (MayHold(entity.PropertiesJson.Span))
            {
                using var json = CanonicalJson.Parse(entity.PropertiesJson);
                Walk(json.RootElement, null, place => Looked(look, place), writer: null);
            }
        }

        if (example.Relationships.Count == 0)
        {
            return;
        }

        var names = example.Entities.Select(entity => entity.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var relationship in example.Relationships)
        {
            LookAtEnd(relationship.SourceName);
            LookAtEnd(relationship.TargetName);
            if (relationship.Description is not null)
            {
                look(Text(relationship.Description, null));
            }
        }

        void LookAtEnd(string name)
        {
            if (!names.Contains(name))
            {
                look(Text(name, null));
            }
        }
    }

    /// <summary>The example with each place rewritten, in the same order; a rewritten number becomes text.</summary>
    public static TrainingExample Rewrite(TrainingExample example, Func<ExamplePlace, string> rewrite)
    {
        var text = rewrite(Text(example.Text, null));
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var entities = new List<ExampleEntity>(example.Entities.Count);
        foreach (var entity in example.Entities)
        {
            var label = new MemberLabel(null, entity.Type);
            var name = rewrite(Text(entity.Name, label));
            if (name != entity.Name || !names.ContainsKey(entity.Name))
            {
                names[entity.Name] = name;
            }

            entities.Add(entity with
            {
                Name = name,
                Description = rewrite(Text(entity.Description, null)),
                BusinessKey = entity.BusinessKey is null ? null : rewrite(Text(entity.BusinessKey, label)),
                PropertiesJson = MayHold(entity.PropertiesJson.Span)
                    ? RewriteJson(entity.PropertiesJson, rewrite)
                    : entity.PropertiesJson,
            });
        }

        var relationships = new List<ExampleRelationship>(example.Relationships.Count);
        foreach (var relationship in example.Relationships)
        {
            relationships.Add(relationship with
            {
                SourceName = names.GetValueOrDefault(relationship.SourceName) ?? rewrite(Text(relationship.SourceName, null)),
                TargetName = names.GetValueOrDefault(relationship.TargetName) ?? rewrite(Text(relationship.TargetName, null)),
                Description = relationship.Description is null ? null : rewrite(Text(relationship.Description, null)),
            });
        }

        return example with { Text = text, Entities = entities, Relationships = relationships };
    }

    private static bool MayHold(ReadOnlySpan<byte> json) => json.ContainsAnyExcept(Harmless);

    private static ExamplePlace Text(string text, MemberLabel? label) => new(text, label, JsonValueKind.String);

    private static string Looked(Action<ExamplePlace> look, ExamplePlace place)
    {
        look(place);
        return place.Text;
    }

    private static byte[] RewriteJson(ReadOnlyMemory<byte> json, Func<ExamplePlace, string> rewrite)
    {
        using var document = CanonicalJson.Parse(json);
        return CanonicalJson.ToBytes(writer => Walk(document.RootElement, null, rewrite, writer));
    }

    private static void Walk(
        JsonElement value, MemberLabel? label, Func<ExamplePlace, string> rewrite, Utf8JsonWriter? writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer?.WriteStartObject();
                WalkMembers(value, label, rewrite, writer);
                writer?.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer?.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Walk(item, label, rewrite, writer);
                }

                writer?.WriteEndArray();
                break;
            case JsonValueKind.String:
                var text = rewrite(new(value.GetString()!, label, JsonValueKind.String));
                writer?.WriteStringValue(text);
                break;
            case JsonValueKind.Number:
                var number = value.GetRawText();
                var rewritten = rewrite(new(number, label, JsonValueKind.Number));
                if (rewritten == number)
                {
                    writer?.WriteRawValue(number, skipInputValidation: true);
                }
                else
                {
                    writer?.WriteStringValue(rewritten);
                }

                break;
            default:
                if (writer is not null)
                {
                    value.WriteTo(writer);
                }

                break;
        }
    }

    private static void WalkMembers(
        JsonElement value, MemberLabel? label, Func<ExamplePlace, string> rewrite, Utf8JsonWriter? writer)
    {
        if (writer is null)
        {
            foreach (var member in value.EnumerateObject())
            {
                rewrite(Text(member.Name, label));
                Walk(member.Value, new(label, member.Name), rewrite, writer);
            }

            return;
        }

        // A new name has a new place in the order, so the values wait until all names are known.
        var members = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var member in value.EnumerateObject())
        {
            var name = rewrite(Text(member.Name, label));
            while (members.ContainsKey(name))
            {
                // Two spellings of one value. Letters only: a digit could make a number of what stands before it.
                name += " (again)";
            }

            members.Add(name, CanonicalJson.ToBytes(w => Walk(member.Value, new(label, member.Name), rewrite, w)));
        }

        foreach (var (name, json) in members)
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(json, skipInputValidation: true);
        }
    }
}
