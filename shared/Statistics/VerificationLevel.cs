using FeedbackLoop.Runs;

namespace FeedbackLoop.Statistics;

/// <summary>Who may verify: a person, or also a confidence of at least so many hundredths.</summary>
/// <remarks>
/// What is verified at one level is verified at every lower one, so each object and each extraction is counted once, under
/// the highest level at which it is what it is, and every threshold is read from the same counts.
/// </remarks>
public readonly record struct VerificationLevel
{
    private VerificationLevel(short value) => Value = value;

    /// <summary>Only a person.</summary>
    public static VerificationLevel PersonOnly { get; } = new(101);

    /// <summary>0 to 100: the least confidence in hundredths; 101: only a person.</summary>
    public short Value { get; }

    /// <exception cref="ArgumentException">The threshold has more than two decimals, or is not within 0 and 1.</exception>
    public static VerificationLevel Of(ExportCriteria criteria) =>
        criteria.HumanReviewedOnly
            ? PersonOnly
            : Find(criteria.MinConfidence)
                ?? throw new ArgumentException(
                    $"statistics are kept for thresholds of two decimals, not for {criteria.MinConfidence}",
                    nameof(criteria));

    /// <summary>The level of a threshold; null when it has more than two decimals, or is not within 0 and 1.</summary>
    public static VerificationLevel? Find(double minConfidence)
    {
        var hundredths = Math.Round(minConfidence * 100);
        return hundredths is >= 0 and <= 100 && hundredths / 100 == minConfidence
            ? new VerificationLevel((short)hundredths)
            : null;
    }
}
