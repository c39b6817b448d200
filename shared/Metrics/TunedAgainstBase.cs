using System.Globalization;

namespace FeedbackLoop.Metrics;

/// <summary>What is said of tuned models beside the base models.</summary>
public static class TuningVerdict
{
    /// <summary>The interval of the difference lies above 0.</summary>
    public const string Better = "better";

    /// <summary>It lies below 0.</summary>
    public const string Worse = "worse";

    /// <summary>It holds 0.</summary>
    public const string CannotTell = "cannot_tell";

    /// <summary>One of the two has fewer than <see cref="TunedAgainstBase.FewestReviews"/>.</summary>
    public const string TooFewReviews = "too_few_reviews";
}

/// <summary>Accuracy of what tuned models extracted, and of what base models did.</summary>
/// <param name="Tuned">Project models and general models together.</param>
/// <param name="Difference">Tuned less base, -1 to 1; null, as its interval, while one of them has no reviews.</param>
/// <param name="Verdict">One of <see cref="TuningVerdict"/>.</param>
/// <param name="Sentence">The verdict for people, in whole sentences with the figures.</param>
public sealed record TunedAgainstBase(
    Estimate Tuned, Estimate Base, double? Difference, double? Low, double? High, string Verdict, string Sentence)
{
    /// <summary>Objects of each side that a person must have decided before a difference is called one.</summary>
    public const int FewestReviews = 30;

    public static TunedAgainstBase Of(Estimate tuned, Estimate @base)
    {
        var difference = RateDifference.Of(tuned, @base);
        var verdict = difference switch
        {
            null => TuningVerdict.TooFewReviews,
            _ when Math.Min(tuned.Of, @base.Of) < FewestReviews => TuningVerdict.TooFewReviews,
            { Low: > 0 } => TuningVerdict.Better,
            { High: < 0 } => TuningVerdict.Worse,
            _ => TuningVerdict.CannotTell,
        };
        return new(
            tuned, @base, difference?.Value, difference?.Low, difference?.High, verdict,
            Tell(verdict, tuned, @base, difference));
    }

    private static string Tell(string verdict, Estimate tuned, Estimate @base, RateDifference? difference)
    {
        if (verdict == TuningVerdict.TooFewReviews || difference is not { } found)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"Cannot tell yet, too few reviews: people have decided {tuned.Of:N0} objects of tuned models and "
                + $"{@base.Of:N0} of base models, and it takes {FewestReviews} of each.");
        }

        var conclusion = verdict switch
        {
            TuningVerdict.Better => "Tuned models are better",
            TuningVerdict.Worse => "Tuned models are worse",
            _ => "Cannot tell yet, the difference may be chance",
        };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{conclusion}: {tuned.Count:N0} of {tuned.Of:N0} decided objects of tuned models were right as they were "
            + $"({100 * tuned.Rate:0.0} %), {@base.Count:N0} of {@base.Of:N0} of base models ({100 * @base.Rate:0.0} %). The "
            + $"difference is {100 * found.Value:+0.0;-0.0;0.0} points, 95 % interval {100 * found.Low:+0.0;-0.0;0.0} to "
            + $"{100 * found.High:+0.0;-0.0;0.0}.");
    }
}
