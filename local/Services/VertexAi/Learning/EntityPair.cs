namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>Two different names of a document, and where they come closest to each other.</summary>
/// <param name="Gap">Tokens between the two mentions.</param>
internal sealed record EntityPair(Mention Source, Mention Target, int Gap)
{
    /// <summary>Every ordered pair whose closest mentions are not further apart than <paramref name="reach"/> tokens.</summary>
    public static IEnumerable<EntityPair> Within(TextTokens tokens, IReadOnlyList<Mention> mentions, int reach)
    {
        // By their position, so that the search stops where the reach ends.
        var nearest = new Dictionary<(string, string), EntityPair>();
        for (var i = 0; i < mentions.Count; i++)
        {
            for (var j = i + 1; j < mentions.Count && mentions[j].First - mentions[i].Last - 1 <= reach; j++)
            {
                var (left, right) = (mentions[i], mentions[j]);
                var (one, other) = (tokens.Span(left.First, left.Last), tokens.Span(right.First, right.Last));
                if (one == other)
                {
                    continue;
                }

                var gap = right.First - left.Last - 1;
                Keep((one, other), new EntityPair(left, right, gap));
                Keep((other, one), new EntityPair(right, left, gap));
            }
        }

        return nearest.Values;

        void Keep((string, string) names, EntityPair pair)
        {
            if (!nearest.TryGetValue(names, out var known) || pair.Gap < known.Gap)
            {
                nearest[names] = pair;
            }
        }
    }

    public (string Source, string Target) Names(TextTokens tokens) =>
        (tokens.Span(Source.First, Source.Last), tokens.Span(Target.First, Target.Last));

    /// <summary>What can be seen of the pair.</summary>
    public ulong[] Features(TextTokens tokens, int mentionsBetween)
    {
        var forward = Source.First < Target.First;
        var (left, right) = forward ? (Source, Target) : (Target, Source);
        var types = $"{Source.Type}\t{Target.Type}{(forward ? '>' : '<')}";
        var distance = Gap switch { 0 => "0", 1 => "1", 2 => "2", < 5 => "5", < 10 => "10", < 20 => "20", _ => "far" };
        var (source, target) = Names(tokens);
        var features = new List<ulong>
        {
            Feature.Of(31, types),
            Feature.Of(32, types, distance),
            Feature.Of(33, types, mentionsBetween > 4 ? "many" : mentionsBetween.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            Feature.Of(34, types, Word(tokens, left.First - 1)),
            Feature.Of(35, types, Word(tokens, right.Last + 1)),
            Feature.Of(36, types, Word(tokens, right.First - 1)),
            Feature.Of(37, types, Word(tokens, left.Last + 1)),
            Feature.Of(38, types, source),
            Feature.Of(39, types, target),
            Feature.Of(40, source, target),
            Feature.Of(41, types, tokens.Sentences[left.Last] == tokens.Sentences[right.First] ? "same" : "other"),
            Feature.Of(42, types, tokens.Sentences[left.Last] == 0 ? "head" : "body", Gap > 20 ? "far" : "near"),
        };
        if (Gap <= 12)
        {
            for (var i = left.Last + 1; i < right.First; i++)
            {
                features.Add(Feature.Of(43, types, Word(tokens, i)));
            }
        }

        if (Gap is > 0 and <= 4)
        {
            features.Add(Feature.Of(44, types, tokens.Span(left.Last + 1, right.First - 1)));
        }

        return [.. features];
    }

    private static string Word(TextTokens tokens, int i) => i < 0 || i >= tokens.Count ? "\0" : tokens.Words[i];
}
