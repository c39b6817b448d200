using FeedbackLoop.Runs;

namespace FeedbackLoop.Statistics;

/// <summary>Who may verify: a person, or also a confidence of at least so many hundredths.</summary>
/// <remarks>
/// What is verified at one level is verified at every lower one, so each object and each extraction is counted once, under
/// the highest level at which it is what it is, and every threshold is read from the same counts.
/// </remarks>
public readonly record struct VerificationLevel
{
    private const short Person = 101;

    private VerificationLevel(short value, bool countsOwnAcceptances) =>
        (Value, CountsOwnAcceptances) = (value, countsOwnAcceptances);

    /// <summary>Only a person.</summary>
    public static VerificationLevel PersonOnly { get; } = new(Person, countsOwnAcceptances: false);

    /// <summary>0 to 100: the least confidence in hundredths; 101: only a person.</summary>
    public short Value { get; }

    /// <summary>Whether what one of our own tuned models found, and the product accepted, is verified.</summary>
    public bool CountsOwnAcceptances { get; }

    /// <exception cref="ArgumentException">The threshold has more than two decimals, or is not within 0 and 1.</exception>
    public static VerificationLevel Of(ExportCriteria criteria) =>
        Find(criteria)
            ?? throw new ArgumentException(
                $"statistics are kept for thresholds of two decimals, not for {criteria.MinConfidence}", nameof(criteria));

    /// <summary>The level of an export; null when its threshold has more than two decimals, or is not within 0 and 1.</summary>
    public static VerificationLevel? Find(ExportCriteria criteria)
    {
        if (criteria.HumanReviewedOnly)
        {
            return PersonOnly;
        }

        var hundredths = Math.Round(criteria.MinConfidence * 100);
        return hundredths is >= 0 and <= 100 && hundredths / 100 == criteria.MinConfidence
            ? new VerificationLevel((short)hundredths, criteria.CountOwnAcceptances)
            : null;
    }

    /// <inheritdoc cref="Find(ExportCriteria)"/>
    public static VerificationLevel? Find(double minConfidence) => Find(new ExportCriteria { MinConfidence = minConfidence });
}
