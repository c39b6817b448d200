using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;

namespace FeedbackLoop.Extraction;

/// <param name="PropertiesJson">A JSON object; <c>{}</c> when the answer has none.</param>
public sealed record AnsweredEntity(
    string Type, string Name, string Description, string? BusinessKey, string PropertiesJson);

/// <param name="SourceName">As the answer has it; whether an entity is called so is not looked at.</param>
/// <param name="Description">Null when the relationship has none.</param>
/// <param name="SourceType">Says which entity is meant where two have the name; null when the answer does not say it.</param>
public sealed record AnsweredRelationship(
    string SourceName, string TargetName, string Type, string? Description, string? SourceType = null,
    string? TargetType = null);

/// <summary>What a model found in a text.</summary>
public sealed record AnsweredContent(
    IReadOnlyList<AnsweredEntity> Entities, IReadOnlyList<AnsweredRelationship> Relationships);

/// <summary>
/// Reads a model's answer by the form that <see cref="ExtractionPrompt"/> asks for. Strictly: what a lenient reader would
/// guess, nobody has said.
/// </summary>
/// <remarks>
/// A problem goes to logs, to rows and to pages that more people see than the document. It has the place and the kind
/// of what is wrong, and nothing that the answer has there, not even the name of a member.
/// </remarks>
public static class AnswerParser
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false };

    /// <summary>Reads the whole of an answer; one that was cut short has none.</summary>
    /// <param name="problem">What is wrong, or how the answer ended.</param>
    public static bool TryRead(
        ExtractionAnswer answer, [NotNullWhen(true)] out AnsweredContent? content, [NotNullWhen(false)] out string? problem)
    {
        if (answer.FinishReason == "Stop")
        {
            return TryParse(answer.Text, out content, out problem);
        }

        (content, problem) = (null, $"the answer ended early: {answer.FinishReason}");
        return false;
    }

    /// <param name="problem">What is wrong, with the place, in words that a model or a person can mend it by.</param>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out AnsweredContent? content, [NotNullWhen(false)] out string? problem)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Options);
            content = Read(document.RootElement);
            problem = null;
            return true;
        }
        catch (JsonException e)
        {
            // Not the reader's words, which quote what it found.
            (content, problem) = (null, string.Create(
                CultureInfo.InvariantCulture,
                $"not one JSON value, at line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}"));
            return false;
        }
        catch (FormatException e)
        {
            (content, problem) = (null, e.Message);
            return false;
        }
        catch (InvalidOperationException)
        {
            // The search for members that stand twice decodes each name, and says only this.
            (content, problem) = (null, "the name of a member holds half of a surrogate pair");
            return false;
        }
    }

    private static AnsweredContent Read(JsonElement root)
    {
        var members = new Members(root, "the answer", ["entities", "relationships"]);
        return new(
            [.. members.Items("entities").Select((item, i) => ReadEntity(item, $"entities[{i}]"))],
            [.. members.Items("relationships").Select((item, i) => ReadRelationship(item, $"relationships[{i}]"))]);
    }

    private static AnsweredEntity ReadEntity(JsonElement item, string place)
    {
        var members = new Members(item, place, ["type", "name", "description", "business_key", "properties"]);
        return new(
            members.Text("type"), members.Text("name"), members.OptionalText("description") ?? "",
            members.OptionalText("business_key"), members.ObjectJson("properties"));
    }

    private static AnsweredRelationship ReadRelationship(JsonElement item, string place)
    {
        var members = new Members(
            item, place, ["source_name", "source_type", "target_name", "target_type", "type", "description"]);
        return new(
            members.Text("source_name"), members.Text("target_name"), members.Text("type"),
            members.OptionalText("description"), members.OptionalText("source_type"), members.OptionalText("target_type"));
    }

    /// <summary>An object's members, each asked for by its name.</summary>
    private readonly struct Members
    {
        private const int LongestNumber = 1_000;

        private readonly JsonElement _object;
        private readonly string _place;

        public Members(JsonElement element, string place, string[] known)
        {
            if (element.ValueKind != JsonValueKind.Object)
            {
                throw new FormatException($"{place} must be an object, and is {Kind(element)}");
            }

            (_object, _place) = (element, place);
            foreach (var member in element.EnumerateObject())
            {
                if (!known.Contains(NameOf(member, place)))
                {
                    throw new FormatException($"{place} has an unknown member; it may have {string.Join(", ", known)}");
                }
            }
        }

        public JsonElement.ArrayEnumerator Items(string name)
        {
            if (!_object.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.Array)
            {
                throw new FormatException($"{_place} must have the array '{name}'");
            }

            return value.EnumerateArray();
        }

        public string Text(string name) =>
            _object.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
                && Decode(value, name) is { } text && !string.IsNullOrWhiteSpace(text)
                ? text
                : throw new FormatException($"{_place}.{name} must be a text that is not empty");

        public string? OptionalText(string name) =>
            !_object.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
            : value.ValueKind == JsonValueKind.String ? Decode(value, name)
            : throw new FormatException($"{_place}.{name} must be a text or null, and is {Kind(value)}");

        public string ObjectJson(string name) =>
            !_object.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? "{}"
            : value.ValueKind == JsonValueKind.Object ? Storable(value, name)
            : throw new FormatException($"{_place}.{name} must be an object, and is {Kind(value)}");

        private string Storable(JsonElement value, string name)
        {
            Check(value, name);
            return value.GetRawText();
        }

        private void Check(JsonElement value, string name)
        {
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    Decode(value, name);
                    break;
                case JsonValueKind.Number when value.GetRawText() is { Length: > LongestNumber } || !double.IsFinite(value.GetDouble()):
                    throw new FormatException($"{_place}.{name} holds a number out of range");
                case JsonValueKind.Array:
                    foreach (var item in value.EnumerateArray())
                    {
                        Check(item, name);
                    }

                    break;
                case JsonValueKind.Object:
                    foreach (var member in value.EnumerateObject())
                    {
                        NameOf(member, $"{_place}.{name}");
                        Check(member.Value, name);
                    }

                    break;
            }
        }

        private static string NameOf(JsonProperty member, string place) => member.Name.Contains('\0')
            ? throw new FormatException($"{place} has a member whose name holds U+0000")
            : member.Name;

        // Half of a surrogate pair and U+0000 are valid JSON and no text that PostgreSQL stores.
        private string Decode(JsonElement value, string name)
        {
            try
            {
                var text = value.GetString()!; // of kind String
                return text.Contains('\0') ? throw new FormatException($"{_place}.{name} holds U+0000") : text;
            }
            catch (InvalidOperationException)
            {
                throw new FormatException($"{_place}.{name} holds half of a surrogate pair");
            }
        }

        private static string Kind(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            JsonValueKind.String => "a text",
            JsonValueKind.Number => "a number",
            JsonValueKind.Null => "null",
            _ => "true or false",
        };
    }
}
