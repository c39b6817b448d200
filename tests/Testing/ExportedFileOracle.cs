using System.Text;
using System.Text.Json;
using FeedbackLoop.Pii;

namespace FeedbackLoop.Testing;

/// <summary>
/// What must hold of every file that an export leaves, whatever a test is about: no detector finds personal data in it,
/// unless the export was told to allow it.
/// </summary>
/// <remarks>
/// It knows nothing of the export's own way: it takes each line apart by its JSON alone, scans every name, every text
/// and every number, and takes what is JSON inside a text apart again.
/// </remarks>
public static class ExportedFileOracle
{
    private const string Metadata = "metadata.json";

    /// <param name="files">All files of a bucket or a folder, by their names with slashes.</param>
    /// <returns>How many lines were looked at.</returns>
    /// <exception cref="ExportedPersonalDataException">
    /// Something was found; its message says where, and does not quote it.
    /// </exception>
    public static int AssertClean(IReadOnlyDictionary<string, byte[]> files)
    {
        var found = new List<string>();
        var lines = 0;
        foreach (var (name, content) in files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            if (IsAllowed(name, files))
            {
                continue;
            }

            if (name.EndsWith(".jsonl", StringComparison.Ordinal))
            {
                var each = Encoding.UTF8.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                lines += each.Length;
                found.AddRange(each.Index().SelectMany(line => FindInLine(line.Item, $"{name}:{line.Index + 1}")));
            }
            else if (name.EndsWith(Metadata, StringComparison.Ordinal))
            {
                using var json = JsonDocument.Parse(content);
                foreach (var member in (string[])["prompts", "entityTypes", "relationshipTypes", "leftOutOfPrompts"])
                {
                    if (json.RootElement.TryGetProperty(member, out var value))
                    {
                        Walk(value, label: null, $"{name} {member}", found);
                    }
                }
            }
        }

        return found.Count == 0
            ? lines
            : throw new ExportedPersonalDataException(
                $"personal data in {found.Count} places of exported files, the first: {string.Join("; ", found.Take(5))}");
    }

    private static List<string> FindInLine(string line, string place)
    {
        var found = new List<string>();
        using var json = JsonDocument.Parse(line);
        Walk(json.RootElement, label: null, place, found);
        return found;
    }

    private static void Walk(JsonElement value, MemberLabel? label, string place, List<string> found)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    Scan(member.Name, label, $"{place}, the name of a member", found);
                    Walk(member.Value, Inner(label, member.Name), place, found);
                }

                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    Walk(item, label, place, found);
                }

                break;
            case JsonValueKind.String:
                var text = value.GetString()!;
                Scan(text, label, $"{place}, a text", found);
                if (text.StartsWith('{') && TryParse(text) is { } inner)
                {
                    using (inner)
                    {
                        Walk(inner.RootElement, label: null, $"{place}, the answer", found);
                    }
                }

                break;
            case JsonValueKind.Number:
                Scan(value.GetRawText(), label, $"{place}, a number", found);
                break;
        }
    }

    private static JsonDocument? TryParse(string text)
    {
        try
        {
            return JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 100 });
        }
        catch (JsonException)
        {
            // A name may begin like JSON.
            return null;
        }
    }

    // Members of our own form say nothing of what stands under them; those of properties do.
    private static MemberLabel? Inner(MemberLabel? label, string name) =>
        label is null && name is "systemInstruction" or "contents" or "parts" or "text" or "role" or "entities" or "relationships"
            or "properties" or "name" or "description" or "type" or "business_key" or "source_name" or "source_type"
            or "target_name" or "target_type"
            ? null
            : new MemberLabel(label, name);

    private static void Scan(string text, MemberLabel? label, string place, List<string> found) =>
        found.AddRange(PiiScanner.Default.Find(text, label).Select(match => $"{match.Kind} in {place}"));

    // By the metadata of the nearest folder above; a file without any was written by default rules.
    private static bool IsAllowed(string name, IReadOnlyDictionary<string, byte[]> files)
    {
        for (var slash = name.LastIndexOf('/'); slash >= 0; slash = slash == 0 ? -1 : name.LastIndexOf('/', slash - 1))
        {
            if (files.TryGetValue(name[..(slash + 1)] + Metadata, out var content))
            {
                using var json = JsonDocument.Parse(content);
                return string.Equals(
                    json.RootElement.GetProperty("criteria").GetProperty("pii").GetString(), "allow",
                    StringComparison.OrdinalIgnoreCase);
            }
        }

        return false;
    }
}

/// <summary>Personal data stands in an exported file that must not have any.</summary>
public sealed class ExportedPersonalDataException(string message) : Exception(message);
