using System.Globalization;

namespace FeedbackLoop.Runs;

/// <summary>Trainings of a scope that began within the last 24 hours, however they ended.</summary>
/// <param name="OldestAt">When the first of them began; null without any.</param>
public readonly record struct RunsOfDay(int Count, DateTimeOffset? OldestAt)
{
    public static readonly TimeSpan Day = TimeSpan.FromHours(24);

    /// <summary>The earliest moment at which one of them does not count any more.</summary>
    public DateTimeOffset? NextAt => OldestAt + Day;

    /// <param name="limit">Most that may begin in that time.</param>
    /// <returns>Why no training of the scope may begin, with the figures; null when one may.</returns>
    public string? Refuse(int limit) => Count < limit
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{Count} trainings have begun within 24 hours, and {limit} may; the next one may begin at ")
            + string.Create(CultureInfo.InvariantCulture, $"{NextAt?.UtcDateTime:yyyy-MM-dd HH:mm} UTC");
}
