using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FeedbackLoop.Platform;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>The <c>properties</c> of an entity as <c>jsonb</c> takes them.</summary>
internal static class EntityProperties
{
    // numeric has room for 131,072 digits; nobody means such a number, and one beyond it fails the whole batch.
    private const int MaxExponent = 300;
    private const int MaxDigits = 1_000;

    private const string Member = "a member of ";

    private static readonly JsonWriterOptions Compact = new() { Encoder = PlainEncoder.Instance };

    /// <summary>An object of the pairs, then of the members of <paramref name="more"/> with other names.</summary>
    public static string Write(ReadOnlySpan<(string Name, string Value)> pairs, JsonElement? more)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in pairs)
            {
                writer.WriteString(name, value);
            }

            foreach (var member in more?.EnumerateObject() ?? default)
            {
                if (!Contains(pairs, member.Name))
                {
                    member.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>
    /// Refuses what PostgreSQL could not store. Names of members are data of the document, and stand in no problem.
    /// </summary>
    public static void Check(JsonElement value, string path, LineMembers members)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                members.String(value, path);
                break;
            case JsonValueKind.Number when !IsStorable(value.GetRawText()):
                members.Refuse($"{path} is a number out of range");
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    Check(item, path, members);
                }

                break;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    CheckMember(member, path, members);
                }

                break;
        }
    }

    private static void CheckMember(JsonProperty member, string path, LineMembers members)
    {
        string name;
        try
        {
            name = member.Name;
        }
        catch (InvalidOperationException)
        {
            members.Refuse($"a name in {path} is not valid Unicode");
            return;
        }

        if (name.Contains('\0'))
        {
            members.Refuse($"a name in {path} contains the character U+0000");
        }

        Check(member.Value, path.StartsWith(Member, StringComparison.Ordinal) ? path : Member + path, members);
    }

    private static bool IsStorable(string number)
    {
        if (number.Length > MaxDigits)
        {
            return false;
        }

        var exponent = number.AsSpan(number.AsSpan().IndexOfAny('e', 'E') + 1);
        return exponent.Length == number.Length
            || (int.TryParse(exponent, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power)
                && Math.Abs((long)power) <= MaxExponent);
    }

    private static bool Contains(ReadOnlySpan<(string Name, string Value)> pairs, string name)
    {
        foreach (var pair in pairs)
        {
            if (pair.Name == name)
            {
                return true;
            }
        }

        return false;
    }
}
