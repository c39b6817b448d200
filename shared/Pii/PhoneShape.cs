namespace FeedbackLoop.Pii;

/// <summary>What the grouping of a window alone says.</summary>
internal static class PhoneShape
{
    /// <summary>Three, three and four digits, perhaps with the 1 of the North American plan before them.</summary>
    public static bool IsNorthAmerican(scoped in PiiScan scan, PhoneWindow window)
    {
        var groups = window.Groups(scan);
        if (groups.Length == 4 && groups[0].Length == 1 && scan.Text[groups[0].Start] == '1')
        {
            groups = groups[1..];
        }

        return groups.Length == 3 && groups[0].Length == 3 && groups[1].Length == 3 && groups[2].Length == 4;
    }

    /// <summary>Begins with the zero that many countries dial before the area, and is grouped.</summary>
    public static bool HasTrunkZero(scoped in PiiScan scan, PhoneWindow window)
    {
        var groups = window.Groups(scan);
        if (groups.Length is < 2 or > 6 || scan.Text[groups[0].Start] != '0' || scan.Text[groups[0].Start + 1] == '0')
        {
            return false;
        }

        foreach (var group in groups)
        {
            if (group.Length < 2)
            {
                return false;
            }
        }

        // Five and four digits are a US postal code, four and five with a point an arXiv number.
        var isPostalOrPaper = groups.Length == 2 && groups[0].Length > 3
            && (groups[1].Length == 4 || window.SignBefore(scan, 1) == '.');
        return !isPostalOrPaper && window.DigitCount(scan) is >= 9 and <= 12;
    }

    /// <summary>A number with a decimal point, or a row of such numbers.</summary>
    public static bool IsDecimal(scoped in PiiScan scan, PhoneWindow window)
    {
        var points = 0;
        for (var place = 1; place < window.Count; place++)
        {
            points += window.SignBefore(scan, place) == '.' ? 1 : 0;
        }

        return points switch
        {
            0 => false,
            1 when window.Count == 2 =>
                scan.Text[scan.Groups[window.First].Start] != '0' || scan.Groups[window.First].Length < 3,
            _ => points != window.Count - 1 && !window.HasParenthesis,
        };
    }

    /// <summary>Groups of three as in <c>12 345 678</c>, <c>1.234.567</c> and <c>612 345 678</c>.</summary>
    public static bool HasThousands(scoped in PiiScan scan, PhoneWindow window)
    {
        var groups = window.Groups(scan);
        if (groups.Length < 2 || groups[0].Length > 3 || scan.Text[groups[0].Start] == '0' || window.HasParenthesis)
        {
            return false;
        }

        for (var place = 1; place < groups.Length; place++)
        {
            if (groups[place].Length != 3 || window.SignBefore(scan, place) is '-' or '/')
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Thousands that no telephone number is written in: the first group is shorter than three.</summary>
    public static bool IsAmount(scoped in PiiScan scan, PhoneWindow window) =>
        scan.Groups[window.First].Length < 3 && HasThousands(scan, window);

    /// <summary>Short groups with spaces only, as in the row of a table.</summary>
    public static bool IsRowOfTable(scoped in PiiScan scan, PhoneWindow window)
    {
        var groups = window.Groups(scan);
        if (scan.Text[groups[0].Start] == '0')
        {
            return false;
        }

        for (var place = 0; place < groups.Length; place++)
        {
            if (groups[place].Length > 2 || (place > 0 && window.SignBefore(scan, place) != ' '))
            {
                return groups.Length > 5;
            }
        }

        return true;
    }

    /// <summary>The sign behind a group, when the next group is on the same line; else '\0'.</summary>
    public static char SignOnLine(scoped in PiiScan scan, int group) =>
        group >= 0 && group + 1 < scan.Groups.Length
        && !scan.Text[scan.Groups[group].End..scan.Groups[group + 1].Start].Contains('\n')
            ? Separator.After(scan, group)
            : '\0';

    /// <summary>The number goes on before the window, with a sign that the window has inside too.</summary>
    public static bool IsTailOfChain(scoped in PiiScan scan, PhoneWindow window)
    {
        var before = SignOnLine(scan, window.First - 1);
        if (before == '\0' || window.HasParenthesis)
        {
            return false;
        }

        for (var place = 1; place < window.Count; place++)
        {
            if (window.SignBefore(scan, place) == before)
            {
                return true;
            }
        }

        return before != ' ' || window.Count == 1;
    }
}
