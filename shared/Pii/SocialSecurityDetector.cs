namespace FeedbackLoop.Pii;

/// <summary>
/// US social security numbers and ITINs: <c>123-45-6789</c> with equal separators, or nine bare digits beside a word.
/// Numbers that were never issued are refused: area 000, 666 and 9xx (unless an ITIN), group 00, serial 0000, and the
/// numbers of advertisements. Source: SSA, "Social Security Number Randomization"; IRS, "ITIN" (2024).
/// </summary>
internal static class SocialSecurityDetector
{
    public static void Run(scoped ref PiiScan scan)
    {
        for (var i = 0; i < scan.Groups.Length && !scan.IsDone; i++)
        {
            var group = scan.Groups[i];
            if (group.Length == 9)
            {
                JudgeBare(ref scan, group);
            }
            else if (group.Length == 3 && i + 2 < scan.Groups.Length)
            {
                JudgeSeparated(ref scan, i);
            }
        }
    }

    private static void JudgeBare(scoped ref PiiScan scan, DigitGroup group)
    {
        var value = group.Value(scan.Text);
        if (IsIssued(value / 1_000_000, value / 10_000 % 100, value % 10_000)
            && Boundary.IsFree(scan.Text, group.Start, group.End)
            && !Boundary.TouchesDecimalPoint(scan.Text, group.Start, group.End)
            && !scan.IsFound(group.Start, group.End)
            && WordWindow.Has(scan.Text, group.Start, group.End, ContextWords.SocialSecurity))
        {
            scan.Add(PiiKind.UsSocialSecurityNumber, group.Start, group.End);
        }
    }

    private static void JudgeSeparated(scoped ref PiiScan scan, int first)
    {
        var (area, middle, serial) = (scan.Groups[first], scan.Groups[first + 1], scan.Groups[first + 2]);
        var sign = Separator.After(scan, first);
        var text = scan.Text;
        var (start, end) = (area.Start, serial.End);
        if (middle.Length != 2 || serial.Length != 4 || sign is '\0' or '/' || Separator.After(scan, first + 1) != sign
            || !Boundary.IsFree(text, start, end) || scan.IsFound(start, end))
        {
            return;
        }

        var hasWord = WordWindow.Has(text, start, end, ContextWords.SocialSecurity);
        if (IsIssued(area.Value(text), middle.Value(text), serial.Value(text))
            && !Boundary.TouchesDecimalPoint(text, start, end)
            && (hasWord || IsLikelyWithoutWord(scan, first, sign)))
        {
            scan.Add(PiiKind.UsSocialSecurityNumber, start, end);
        }
        else
        {
            // A refused number is not a telephone number for that reason alone.
            scan.Refuse(start, end);
        }
    }

    private static bool IsLikelyWithoutWord(scoped in PiiScan scan, int first, char sign)
    {
        var text = scan.Text;
        var (start, end) = (scan.Groups[first].Start, scan.Groups[first + 2].End);
        return !Boundary.IsPieceOfName(text, start, end)
            && !Quantity.Is(text, start, end)
            && WordWindow.DistanceOfThing(text, start) == WordWindow.Absent
            && WordWindow.DistanceBack(text, start, ContextWords.Phone, limit: 2) == WordWindow.Absent
            && (sign == '-' || (Separator.Before(scan, first) == '\0' && Separator.After(scan, first + 2) == '\0'));
    }

    private static bool IsIssued(int area, int group, int serial)
    {
        var isItin = area >= 900
            && group is (>= 50 and <= 65) or (>= 70 and <= 88) or (>= 90 and <= 92) or (>= 94 and <= 99);
        return area is not (0 or 666) && (area < 900 || isItin) && group != 0 && serial != 0
            && (area, group, serial) is not ((78, 5, 1120) or (219, 9, 9999) or (123, 45, 6789) or (987, 65, 4321))
            && !(area % 111 == 0 && group % 11 == 0 && serial % 1111 == 0
                && area / 111 == group / 11 && group / 11 == serial / 1111);
    }
}
