namespace FeedbackLoop.Metrics;

/// <summary>How far one rate lies above another, with a 95 % interval.</summary>
/// <param name="Value">-1 to 1; above 0 the first rate is the higher one.</param>
public readonly record struct RateDifference(double Value, double Low, double High)
{
    /// <summary>
    /// Newcombe's hybrid of the two Wilson intervals (Newcombe 1998, "Interval estimation for the difference between independent
    /// proportions", method 10). Unlike the textbook's interval it stays honest with few observations and near 0 and 1.
    /// </summary>
    /// <returns>Null when one of the two has nothing to show.</returns>
    public static RateDifference? Of(Estimate first, Estimate second)
    {
        if (first is not { Rate: { } p1, Low: { } low1, High: { } high1 }
            || second is not { Rate: { } p2, Low: { } low2, High: { } high2 })
        {
            return null;
        }

        var difference = p1 - p2;
        return new(
            difference,
            Math.Max(-1, difference - Math.Sqrt(Square(p1 - low1) + Square(high2 - p2))),
            Math.Min(1, difference + Math.Sqrt(Square(high1 - p1) + Square(p2 - low2))));
    }

    private static double Square(double value) => value * value;
}
