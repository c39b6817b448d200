namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>A token as the tagger sees it.</summary>
/// <param name="Features">Numbers that the weights know its features by.</param>
/// <param name="Word">
/// The feature of the word alone; a hash, so the same before and after the weights are saved.
/// </param>
/// <param name="Shape">The feature of the shape alone.</param>
/// <param name="Domain">See <see cref="TokenFeatures.Domain"/>.</param>
internal readonly record struct SeenToken(int[] Features, ulong Word, ulong Shape, ulong Domain)
{
    /// <param name="number">Gives the number of a feature.</param>
    public static SeenToken[] All(TextTokens tokens, PromptTypes types, Func<ulong, int> number)
    {
        var domain = TokenFeatures.Domain(types);
        var seen = new SeenToken[tokens.Count];
        for (var i = 0; i < seen.Length; i++)
        {
            var features = TokenFeatures.Of(tokens, i);
            var own = features.Take(TokenFeatures.Domestic).Select(feature => Feature.Combine(domain, feature));
            seen[i] = new SeenToken([.. features.Concat(own).Select(number)], features[0], features[1], domain);
        }

        return seen;
    }
}
