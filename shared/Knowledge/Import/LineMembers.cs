using System.Text.Json;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>
/// Reads members of one line and keeps the first thing that is wrong. After that every answer is a stand-in, so that
/// the caller asks <see cref="Problem"/> once and not after each member.
/// </summary>
internal sealed class LineMembers
{
    public string? Problem { get; private set; }

    public void Refuse(string problem) => Problem ??= problem;

    /// <summary>A string that must be there and say something.</summary>
    public string Text(JsonElement parent, string path, string name) =>
        OptionalText(parent, path, name, required: true) ?? "";

    /// <summary>Null when it is absent, null or blank.</summary>
    public string? OptionalText(JsonElement parent, string path, string name, bool required = false)
    {
        if (!TryGet(parent, path, name, required, out var member))
        {
            return null;
        }

        if (member.ValueKind != JsonValueKind.String)
        {
            Refuse($"{path}{name} must be a string");
            return null;
        }

        var text = String(member, path + name);
        if (!string.IsNullOrWhiteSpace(text))
        {
            return text;
        }

        if (required)
        {
            Refuse($"{path}{name} is empty");
        }

        return null;
    }

    /// <summary>The text of a JSON string, which PostgreSQL must be able to store.</summary>
    public string String(JsonElement member, string path)
    {
        string text;
        try
        {
            text = member.GetString()!;
        }
        catch (InvalidOperationException)
        {
            Refuse($"{path} is not valid Unicode (a lone surrogate, or bytes that are not UTF-8)");
            return "";
        }

        if (text.Contains('\0'))
        {
            Refuse($"{path} contains the character U+0000, which PostgreSQL cannot store");
        }

        return text;
    }

    /// <summary>Null when it is absent or null.</summary>
    /// <param name="odd">Stands for a number with a fraction or beyond 32 bits.</param>
    public int? OptionalNumber(JsonElement parent, string path, string name, int? odd)
    {
        if (!TryGet(parent, path, name, required: false, out var member))
        {
            return null;
        }

        if (member.ValueKind != JsonValueKind.Number)
        {
            Refuse($"{path}{name} must be a number");
            return null;
        }

        return member.TryGetInt32(out var number) ? number : odd;
    }

    /// <summary>Null when it is absent or null.</summary>
    public bool? OptionalFlag(JsonElement parent, string path, string name)
    {
        if (!TryGet(parent, path, name, required: false, out var member))
        {
            return null;
        }

        if (member.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            Refuse($"{path}{name} must be true or false");
            return null;
        }

        return member.GetBoolean();
    }

    public JsonElement.ArrayEnumerator Array(JsonElement parent, string name, int limit)
    {
        if (!TryGet(parent, "", name, required: true, out var member))
        {
            return default;
        }

        if (member.ValueKind != JsonValueKind.Array)
        {
            Refuse($"{name} must be an array");
            return default;
        }

        if (member.GetArrayLength() > limit)
        {
            Refuse($"{name} has {member.GetArrayLength()} elements, {limit} are allowed");
            return default;
        }

        return member.EnumerateArray();
    }

    /// <summary>Null when it is absent or null.</summary>
    public JsonElement? OptionalObject(JsonElement parent, string path, string name)
    {
        if (!TryGet(parent, path, name, required: false, out var member))
        {
            return null;
        }

        if (member.ValueKind != JsonValueKind.Object)
        {
            Refuse($"{path}{name} must be an object");
            return null;
        }

        return member;
    }

    private bool TryGet(JsonElement parent, string path, string name, bool required, out JsonElement member)
    {
        if (parent.TryGetProperty(name, out member) && member.ValueKind != JsonValueKind.Null)
        {
            return true;
        }

        if (required)
        {
            Refuse($"{path}{name} is missing");
        }

        return false;
    }
}
