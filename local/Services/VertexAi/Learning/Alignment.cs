namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>Where the names of an answer stand in the document. The answer itself has no positions.</summary>
internal sealed record Alignment(TextTokens Tokens, IReadOnlyList<Mention> Mentions, IReadOnlySet<int> Fragments)
{
    /// <summary>
    /// Fragments are tokens of a shorter form of a name ("Schneider" for "Willi Schneider"). They are mentions, but not
    /// of that name, so the tagger learns nothing from them.
    /// </summary>
    public static Alignment Of(LearningExample example)
    {
        var tokens = new TextTokens(example.Document);
        var index = tokens.Words.Select((word, i) => (word, i)).ToLookup(each => each.word, each => each.i);
        var taken = new bool[tokens.Count];
        var mentions = new List<Mention>();
        var parts = new HashSet<string>();

        var names = example.Answer.Entities
            .GroupBy(entity => entity.Name)
            .Select(same => (
                Words: new TextTokens(same.Key).Words,
                Type: same.GroupBy(entity => entity.Type).MaxBy(type => type.Count())!.Key))
            .Where(name => name.Words.Count > 0)
            .OrderByDescending(name => name.Words.Count);
        foreach (var (words, type) in names)
        {
            foreach (var first in index[words[0]])
            {
                if (Matches(tokens.Words, taken, first, words))
                {
                    mentions.Add(new Mention(first, first + words.Count - 1, type));
                    Array.Fill(taken, true, first, words.Count);
                }
            }

            if (words.Count > 1)
            {
                parts.UnionWith(words.Where(word => char.IsUpper(word[0])));
            }
        }

        var fragments = Enumerable.Range(0, tokens.Count)
            .Where(i => !taken[i] && parts.Contains(tokens.Words[i])).ToHashSet();
        mentions.Sort((one, other) => one.First.CompareTo(other.First));
        return new Alignment(tokens, mentions, fragments);
    }

    private static bool Matches(IReadOnlyList<string> text, bool[] taken, int first, IReadOnlyList<string> words)
    {
        if (first + words.Count > text.Count)
        {
            return false;
        }

        for (var i = 0; i < words.Count; i++)
        {
            if (taken[first + i] || text[first + i] != words[i])
            {
                return false;
            }
        }

        return true;
    }
}
