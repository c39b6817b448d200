namespace FeedbackLoop.Metrics;

/// <summary>So many of so many: a count of all there are, which leaves nothing to guess.</summary>
public sealed record Share(long Count, long Of)
{
    /// <summary>0 to 1; null when there was nothing to count.</summary>
    public double? Rate => Of == 0 ? null : (double)Count / Of;
}

/// <summary>
/// So many of so many that were looked at, and what that says of those that nobody has looked at: the rate and Wilson's 95 %
/// interval around it (Wilson 1927, the score interval without correction for continuity).
/// </summary>
public sealed record Estimate(long Count, long Of)
{
    /// <summary>The 97.5th percentile of the normal distribution.</summary>
    private const double Z = 1.959963984540054;

    /// <summary>0 to 1; null, as the interval, when nothing was looked at.</summary>
    public double? Rate => Of == 0 ? null : (double)Count / Of;

    /// <summary>Lower end of the interval, 0 to 1.</summary>
    public double? Low => Of == 0 ? null : Math.Max(0, Centre - HalfWidth);

    /// <summary>Upper end of the interval, 0 to 1.</summary>
    public double? High => Of == 0 ? null : Math.Min(1, Centre + HalfWidth);

    private double Centre => (Count + (Z * Z / 2)) / (Of + (Z * Z));

    private double HalfWidth => Z * Math.Sqrt(((double)Count * (Of - Count) / Of) + (Z * Z / 4)) / (Of + (Z * Z));
}
