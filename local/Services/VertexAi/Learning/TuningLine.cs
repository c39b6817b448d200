using System.Text.Json;

namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>One line of a Gemini dataset for supervised tuning.</summary>
/// <param name="System">Empty without a system instruction.</param>
/// <param name="User">The last user turn.</param>
/// <param name="Model">The last model turn: the answer to learn.</param>
/// <param name="Characters">All texts of the line together.</param>
/// <param name="Messages">Turns of the user and the model.</param>
internal sealed record TuningLine(string System, string User, string Model, int Characters, int Messages)
{
    /// <summary>About four characters a token, as Google's documentation says.</summary>
    public static int Tokens(int characters) => (characters + 3) / 4;

    /// <returns>The line, or what is wrong with it, as the end of "Dataset example 1 of 14 …".</returns>
    public static (TuningLine? Line, string? Problem) Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second: half of a surrogate pair in a string, or an item that is no object.
            return (null, "is not valid JSON.");
        }
    }

    private static (TuningLine? Line, string? Problem) Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return (null, "is not a JSON object.");
        }

        var unknown = root.EnumerateObject()
            .FirstOrDefault(each => each.Name is not "systemInstruction" and not "contents");
        if (unknown.Value.ValueKind != JsonValueKind.Undefined)
        {
            return (null, $"contains the unknown field \"{unknown.Name}\".");
        }

        if (!root.TryGetProperty("contents", out var contents) || contents.ValueKind != JsonValueKind.Array
            || contents.GetArrayLength() == 0)
        {
            return (null, "has no \"contents\".");
        }

        var system = "";
        if (root.TryGetProperty("systemInstruction", out var instruction))
        {
            (system, var problem) = ReadParts(instruction);
            if (problem is not null)
            {
                return (null, problem);
            }
        }

        var (user, model, last, characters) = ("", "", "", system.Length);
        foreach (var turn in contents.EnumerateArray())
        {
            var (text, problem) = ReadParts(turn);
            last = turn.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String
                ? role.GetString()!
                : "";
            if (problem is not null || last is not "user" and not "model")
            {
                return (null, problem ?? "contains a role other than \"user\" and \"model\".");
            }

            (user, model) = last == "user" ? (text, model) : (user, text);
            characters += text.Length;
        }

        return last == "model" && user.Length > 0
            ? (new TuningLine(system, user, model, characters, contents.GetArrayLength()), null)
            : (null, "must ask as \"user\" and end with a turn of the role \"model\".");
    }

    private static (string Text, string? Problem) ReadParts(JsonElement content)
    {
        if (content.ValueKind != JsonValueKind.Object || !content.TryGetProperty("parts", out var parts)
            || parts.ValueKind != JsonValueKind.Array || parts.GetArrayLength() == 0)
        {
            return ("", "contains a turn without \"parts\".");
        }

        var texts = new List<string>();
        foreach (var part in parts.EnumerateArray())
        {
            if (part.ValueKind != JsonValueKind.Object || !part.TryGetProperty("text", out var text)
                || text.ValueKind != JsonValueKind.String)
            {
                return ("", "contains an unsupported modality in the \"parts\" field.");
            }

            texts.Add(text.GetString()!);
        }

        return (string.Join('\n', texts), null);
    }
}
