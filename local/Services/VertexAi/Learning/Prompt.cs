using FeedbackLoop.Extraction;

namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>
/// Finds in a prompt what a language model would understand of it: the document, and the types asked for.
/// </summary>
internal static class Prompt
{
    /// <summary>
    /// The text between the lines <c>&lt;document&gt;</c> and <c>&lt;/document&gt;</c> as it was before it was put
    /// there, else all of it.
    /// </summary>
    public static string Document(string user)
    {
        var lines = user.ReplaceLineEndings("\n").Split('\n');
        var first = Array.FindIndex(lines, line => line.Trim() == "<document>");
        var last = Array.FindLastIndex(lines, line => line.Trim() == "</document>");
        return first >= 0 && last > first ? DocumentText.Unescape(string.Join('\n', lines[(first + 1)..last])) : user;
    }

    /// <param name="texts">System instruction and user part; the first that has a list of types counts.</param>
    public static PromptTypes Types(params ReadOnlySpan<string> texts)
    {
        IReadOnlyList<TypeNote> entities = [];
        IReadOnlyList<TypeNote> relationships = [];
        foreach (var text in texts)
        {
            entities = entities.Count > 0 ? entities : ListUnder("Entity types", text);
            relationships = relationships.Count > 0 ? relationships : ListUnder("Relationship types", text);
        }

        return new PromptTypes(entities, relationships);
    }

    /// <summary>The lines "- name: description" from the heading to the next blank line.</summary>
    private static List<TypeNote> ListUnder(string heading, string text)
    {
        var notes = new List<TypeNote>();
        var isInside = false;
        foreach (var line in text.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim()))
        {
            if (line.TrimStart('#', '*', ' ').StartsWith(heading, StringComparison.OrdinalIgnoreCase))
            {
                isInside = true;
            }
            else if (isInside && line.StartsWith("- ", StringComparison.Ordinal))
            {
                var parts = line[2..].Split(": ", 2);
                notes.Add(new TypeNote(parts[0].Trim().TrimEnd(':'), parts.Length > 1 ? parts[1].Trim() : ""));
            }
            else if (isInside && line.Length == 0 && notes.Count > 0)
            {
                break;
            }
        }

        return notes;
    }
}
