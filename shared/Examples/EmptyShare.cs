namespace FeedbackLoop.Examples;

/// <summary>How many texts with nothing to find are learnt from. Decides and does nothing else.</summary>
public static class EmptyShare
{
    /// <summary>Most texts with nothing to find beside so many examples with content.</summary>
    /// <param name="maxShare">Of all examples together, 0 to below 1; see <see cref="Runs.ExportCriteria.MaxEmptyShare"/>.</param>
    public static long Limit(long withContent, double maxShare)
    {
        // The product may be a hair below a whole number: 9 · 0.1 / 0.9 is 0.99….
        return (long)Math.Floor((withContent * maxShare / (1 - maxShare)) + 1e-9);
    }

    /// <summary>Examples that come of so many texts with content and so many with nothing to find.</summary>
    /// <inheritdoc cref="Limit" path="/param"/>
    public static long Examples(long withContent, long empty, double maxShare) =>
        withContent + Math.Min(empty, Limit(withContent, maxShare));
}
