namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>
/// Knows beside names of which types the reviewers keep a shorter form: "Schneider" beside "Willi Schneider", or
/// "oxide" beside "metal oxide". Where they do not, a short form is another mention of the same thing and no entity.
/// </summary>
internal sealed class ShortForms
{
    /// <summary>Words; what is longer is a sentence and no name.</summary>
    private const int LongestName = 12;

    private readonly Dictionary<string, (int Kept, int Dropped)> _seen = [];

    public void Learn(IEnumerable<(Alignment Where, Extraction Answer)> documents)
    {
        foreach (var (where, answer) in documents)
        {
            var names = answer.Entities.Select(each => (Words: new TextTokens(each.Name).Words, each.Type)).ToList();
            var parts = Parts(names);
            foreach (var name in names)
            {
                if (parts.TryGetValue(string.Join(' ', name.Words), out var type))
                {
                    Count(type, kept: 1, dropped: 0);
                }
            }

            foreach (var fragment in Fragments(where).Distinct())
            {
                if (parts.TryGetValue(fragment, out var type))
                {
                    Count(type, kept: 0, dropped: 1);
                }
            }
        }
    }

    /// <summary>The mentions without the short forms that are no entities of their own.</summary>
    public IReadOnlyList<Mention> Filter(TextTokens tokens, IReadOnlyList<Mention> mentions)
    {
        var parts = Parts(mentions
            .Where(mention => IsDropped(mention.Type))
            .Select(mention => (Words: Words(tokens, mention), mention.Type)));
        return [.. mentions.Where(mention => !parts.ContainsKey(string.Join(' ', Words(tokens, mention))))];
    }

    public void Save(BinaryWriter writer)
    {
        writer.Write(_seen.Count);
        foreach (var (type, (kept, dropped)) in _seen)
        {
            writer.Write(type);
            writer.Write(kept);
            writer.Write(dropped);
        }
    }

    public static ShortForms Load(BinaryReader reader)
    {
        var result = new ShortForms();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            result.Count(reader.ReadString(), reader.ReadInt32(), reader.ReadInt32());
        }

        return result;
    }

    private bool IsDropped(string type) => _seen.TryGetValue(type, out var seen) && seen.Dropped > seen.Kept;

    private void Count(string type, int kept, int dropped)
    {
        var seen = _seen.GetValueOrDefault(type);
        _seen[type] = (seen.Kept + kept, seen.Dropped + dropped);
    }

    /// <summary>Every shorter run of words inside a name, with the name's type.</summary>
    private static Dictionary<string, string> Parts(IEnumerable<(IReadOnlyList<string> Words, string Type)> names)
    {
        var parts = new Dictionary<string, string>();
        foreach (var (words, type) in names.Where(name => name.Words.Count <= LongestName))
        {
            for (var length = 1; length < words.Count; length++)
            {
                for (var first = 0; first + length <= words.Count; first++)
                {
                    parts.TryAdd(string.Join(' ', words.Skip(first).Take(length)), type);
                }
            }
        }

        return parts;
    }

    /// <summary>Runs of tokens that belong to a name but do not make the whole of one.</summary>
    private static IEnumerable<string> Fragments(Alignment where)
    {
        for (var i = 0; i < where.Tokens.Count; i++)
        {
            var first = i;
            while (i < where.Tokens.Count && where.Fragments.Contains(i))
            {
                i++;
            }

            if (i > first)
            {
                yield return string.Join(' ', where.Tokens.Words.Skip(first).Take(i - first));
            }
        }
    }

    private static IReadOnlyList<string> Words(TextTokens tokens, Mention mention) =>
        [.. tokens.Words.Skip(mention.First).Take(mention.Last - mention.First + 1)];
}
