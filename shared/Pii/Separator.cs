namespace FeedbackLoop.Pii;

/// <summary>What stands between two groups of one number.</summary>
internal static class Separator
{
    /// <summary>
    /// ' ', '-', '.' or '/' for one such sign; a dash may have a space or a line break on either side, and a space may
    /// be two or a line break. '\0' for anything else: the groups are not one number.
    /// </summary>
    public static char Between(ReadOnlySpan<char> text, int from, int to)
    {
        var gap = text[from..to];
        if (gap.Length == 1 && gap[0] is ' ' or '-' or '.' or '/')
        {
            return gap[0];
        }

        if (gap.Length is 0 or > 3)
        {
            return '\0';
        }

        var sign = ' ';
        foreach (var c in gap)
        {
            if (c == '-' && sign == ' ')
            {
                sign = '-';
            }
            else if (c is not (' ' or '\n' or '\r'))
            {
                return '\0';
            }
        }

        return sign == ' ' && gap.Length > 2 ? '\0' : sign;
    }

    /// <summary>The sign between the group at an index and the next; '\0' when they are not one number.</summary>
    public static char After(scoped in PiiScan scan, int group) =>
        group + 1 < scan.Groups.Length
            ? Between(scan.Text, scan.Groups[group].End, scan.Groups[group + 1].Start)
            : '\0';

    /// <summary>The sign between the group at an index and the one before it.</summary>
    public static char Before(scoped in PiiScan scan, int group) => group > 0 ? After(scan, group - 1) : '\0';
}
