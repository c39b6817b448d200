namespace FeedbackLoop.Pii;

/// <summary>Whether digit groups are dates or years rather than a number that somebody is given.</summary>
internal static class CalendarShape
{
    /// <summary>Whether the groups begin with a date, are years only, or are one date without separators.</summary>
    public static bool Is(ReadOnlySpan<char> text, ReadOnlySpan<DigitGroup> groups) =>
        groups.Length switch
        {
            0 => false,
            1 => IsCompactDate(text, groups[0]),
            2 => AreYears(text, groups),
            // A year of two digits counts only where nothing follows: "06.12.34.56.78" is a telephone number.
            _ => (IsDate(text, groups[0], groups[1], groups[2]) && (groups.Length == 3 || HasFullYear(groups)))
                || AreYears(text, groups),
        };

    private static bool HasFullYear(ReadOnlySpan<DigitGroup> groups) => groups[0].Length == 4 || groups[2].Length == 4;

    private static bool IsDate(ReadOnlySpan<char> text, DigitGroup first, DigitGroup second, DigitGroup third) =>
        first.Length == 4
            ? IsYear(text, first) && IsMonthAndDay(text, second, third)
            : (third.Length == 4 ? IsYear(text, third) : third.Length == 2)
                && second.Length <= 2 && first.Length <= 2
                && third.End - first.Start <= 10
                && (IsMonthAndDay(text, first, second) || IsMonthAndDay(text, second, first))
                && text[first.End] == text[second.End] && text[first.End] is '.' or '/' or '-';

    private static bool IsMonthAndDay(ReadOnlySpan<char> text, DigitGroup month, DigitGroup day) =>
        month.Length <= 2 && day.Length <= 2
        && month.Value(text) is >= 1 and <= 12 && day.Value(text) is >= 1 and <= 31;

    private static bool AreYears(ReadOnlySpan<char> text, ReadOnlySpan<DigitGroup> groups)
    {
        foreach (var group in groups)
        {
            if (group.Length != 4 || !IsYear(text, group))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsYear(ReadOnlySpan<char> text, DigitGroup group) => group.Value(text) is >= 1000 and <= 2199;

    /// <summary><c>yyyyMMdd</c>, also with hours, minutes and seconds behind it.</summary>
    private static bool IsCompactDate(ReadOnlySpan<char> text, DigitGroup group) =>
        group.Length is 8 or 12 or 14
        && new DigitGroup(group.Start, group.Start + 4).Value(text) is >= 1900 and <= 2199
        && IsMonthAndDay(
            text,
            new DigitGroup(group.Start + 4, group.Start + 6),
            new DigitGroup(group.Start + 6, group.Start + 8));
}
