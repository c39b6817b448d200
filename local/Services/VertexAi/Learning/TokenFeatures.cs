namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>What can be seen of a token and its neighbours.</summary>
internal static class TokenFeatures
{
    /// <summary>The first so many features also exist once for each domain.</summary>
    public const int Domestic = 9;

    /// <summary>
    /// Prompts with the same types come from the same domain. What holds there is learnt beside what holds everywhere:
    /// Daumé, "Frustratingly Easy Domain Adaptation", 2007.
    /// </summary>
    public static ulong Domain(PromptTypes types) =>
        Feature.Of(99, string.Join('\n', types.Entities.Select(type => type.Name).Order(StringComparer.Ordinal)));

    /// <returns>The word itself first, then its shape.</returns>
    public static ulong[] Of(TextTokens tokens, int i)
    {
        var word = tokens.Words[i];
        var lower = Lower(tokens, i);
        var shape = tokens.Shapes[i];
        var before = Lower(tokens, i - 1);
        var after = Lower(tokens, i + 1);
        return
        [
            Feature.Of(1, lower),
            Feature.Of(2, shape),
            Feature.Of(4, before),
            Feature.Of(5, after),
            Feature.Of(8, before, lower),
            Feature.Of(9, lower, after),
            Feature.Of(12, Shape(tokens, i - 1), shape, Shape(tokens, i + 1)),
            Feature.Of(14, lower.AsSpan(Math.Max(0, lower.Length - 3))),
            Feature.Of(21, "bias"),
            Feature.Of(3, word),
            Feature.Of(6, Lower(tokens, i - 2)),
            Feature.Of(7, Lower(tokens, i + 2)),
            Feature.Of(10, Shape(tokens, i - 1), shape),
            Feature.Of(11, shape, Shape(tokens, i + 1)),
            Feature.Of(13, lower.AsSpan(0, Math.Min(3, lower.Length))),
            Feature.Of(15, lower.AsSpan(Math.Max(0, lower.Length - 2))),
            Feature.Of(16, shape, tokens.StartsSentence(i) ? "first" : "later"),
            Feature.Of(17, before, shape),
            Feature.Of(18, after, shape),
            Feature.Of(19, Lower(tokens, i - 2), before),
            Feature.Of(20, after, Lower(tokens, i + 2)),
            Feature.Of(22, lower.AsSpan(0, Math.Min(4, lower.Length))),
            Feature.Of(23, lower.AsSpan(Math.Max(0, lower.Length - 4))),
        ];
    }

    private static string Lower(TextTokens tokens, int i) => i < 0 || i >= tokens.Count ? "\0" : tokens.Lower[i];

    private static string Shape(TextTokens tokens, int i) => i < 0 || i >= tokens.Count ? "\0" : tokens.Shapes[i];
}
