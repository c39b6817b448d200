using System.Globalization;
using System.Runtime.InteropServices;

namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>Two different names of a document, and where they come closest to each other.</summary>
/// <param name="Gap">Tokens between the two mentions.</param>
/// <param name="Between">Other mentions between the two.</param>
internal readonly record struct EntityPair(
    Mention Source, string SourceName, Mention Target, string TargetName, int Gap, int Between)
{
    /// <summary>
    /// Every ordered pair whose closest mentions are not further apart than <paramref name="reach"/> tokens.
    /// </summary>
    /// <param name="mentions">In the order of their positions: the search stops where the reach ends.</param>
    public static IReadOnlyCollection<EntityPair> Within(TextTokens tokens, IReadOnlyList<Mention> mentions, int reach)
    {
        var names = mentions.Select(mention => tokens.Span(mention.First, mention.Last)).ToArray();
        var nearest = new Dictionary<(string, string), EntityPair>();
        for (var i = 0; i < mentions.Count; i++)
        {
            for (var j = i + 1; j < mentions.Count && mentions[j].First - mentions[i].Last - 1 <= reach; j++)
            {
                if (names[i] != names[j])
                {
                    var gap = mentions[j].First - mentions[i].Last - 1;
                    Keep(new EntityPair(mentions[i], names[i], mentions[j], names[j], gap, j - i - 1));
                    Keep(new EntityPair(mentions[j], names[j], mentions[i], names[i], gap, j - i - 1));
                }
            }
        }

        return nearest.Values;

        void Keep(EntityPair pair)
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(
                nearest, (pair.SourceName, pair.TargetName), out var isKnown);
            if (!isKnown || pair.Gap < known.Gap)
            {
                known = pair;
            }
        }
    }

    public (string, string) Names => (SourceName, TargetName);

    public (string, string) Types => (Source.Type, Target.Type);

    /// <summary>What can be seen of the pair.</summary>
    public ulong[] Features(TextTokens tokens)
    {
        var forward = Source.First < Target.First;
        var (left, right) = forward ? (Source, Target) : (Target, Source);
        var types = $"{Source.Type}\t{Target.Type}{(forward ? '>' : '<')}";
        var distance = Gap switch { 0 => "0", 1 => "1", 2 => "2", < 5 => "5", < 10 => "10", < 20 => "20", _ => "far" };
        var features = new List<ulong>
        {
            Feature.Of(31, types),
            Feature.Of(32, types, distance),
            Feature.Of(33, types, Between > 4 ? "many" : Between.ToString(CultureInfo.InvariantCulture)),
            Feature.Of(34, types, Word(tokens, left.First - 1)),
            Feature.Of(35, types, Word(tokens, right.Last + 1)),
            Feature.Of(36, types, Word(tokens, right.First - 1)),
            Feature.Of(37, types, Word(tokens, left.Last + 1)),
            Feature.Of(38, types, SourceName),
            Feature.Of(39, types, TargetName),
            Feature.Of(40, SourceName, TargetName),
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
