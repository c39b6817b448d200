namespace FeedbackLoop.Statistics;

/// <summary>How fast examples come in, and when there will be enough of them.</summary>
public static class ExamplePace
{
    /// <summary>Days that the pace is taken from, today among them: people do not review every day.</summary>
    public const int Days = 14;

    /// <param name="recentExamples">Those that changed within <see cref="Days"/>.</param>
    /// <returns>Null when there were none: nothing can be said of the days to come.</returns>
    public static double? PerDay(long recentExamples) => recentExamples > 0 ? (double)recentExamples / Days : null;

    /// <returns>Whole days until <paramref name="minimum"/>; null when it is reached, or nothing comes in.</returns>
    public static int? DaysTo(int minimum, long examples, long recentExamples) =>
        examples < minimum && PerDay(recentExamples) is { } perDay
            ? (int)Math.Ceiling((minimum - examples) / perDay)
            : null;
}
