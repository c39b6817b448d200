using FeedbackLoop.Selection;
using FeedbackLoop.Tuning;

namespace FeedbackLoop.Metrics;

/// <summary>Tokens that went to and came from a model, thoughts among the latter.</summary>
public readonly record struct TokenCounts(long Input, long Output)
{
    public static TokenCounts operator +(TokenCounts one, TokenCounts other) => Add(one, other);

    public static TokenCounts Add(TokenCounts one, TokenCounts other) => new(one.Input + other.Input, one.Output + other.Output);
}

/// <summary>What answers have cost by the catalogue's prices of today. It is not Google's bill.</summary>
public static class ServingCost
{
    /// <param name="tier">One of <see cref="ModelTier"/>: tuned models have a price of their own.</param>
    /// <param name="baseModel">Null: it was not recorded.</param>
    /// <returns>US dollars. Null when a price is needed that nobody knows.</returns>
    public static decimal? Usd(string tier, string? baseModel, TokenCounts tokens, BaseModelCatalogue catalogue)
    {
        if (tokens is { Input: 0, Output: 0 })
        {
            return 0;
        }

        return catalogue.FindServingPrice(baseModel, isTuned: tier != ModelTier.Base) is { } price
            ? decimal.Round(price.Of(tokens.Input, tokens.Output), 6)
            : null;
    }
}
