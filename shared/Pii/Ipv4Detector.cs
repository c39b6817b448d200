namespace FeedbackLoop.Pii;

/// <summary>
/// IPv4 addresses: four numbers up to 255 with points between. Versions, section numbers and enzyme classes look the
/// same, so the words and signs around them decide.
/// </summary>
internal static class Ipv4Detector
{
    public static void Run(scoped ref PiiScan scan)
    {
        for (var i = 0; i + 3 < scan.Groups.Length && !scan.IsDone; i++)
        {
            if (IsAddress(scan, i))
            {
                scan.Add(PiiKind.IpAddress, scan.Groups[i].Start, scan.Groups[i + 3].End);
                i += 3;
            }
        }
    }

    private static bool IsAddress(scoped in PiiScan scan, int first)
    {
        var text = scan.Text;
        var widths = 0;
        var largest = 0;
        var hasLeadingZero = false;
        for (var i = first; i < first + 4; i++)
        {
            var group = scan.Groups[i];
            var value = group.Length <= 3 ? group.Value(text) : 256;
            if (value > 255 || (i < first + 3 && !IsPoint(text, group.End, scan.Groups[i + 1].Start)))
            {
                return false;
            }

            widths += group.Length;
            largest = Math.Max(largest, value);
            hasLeadingZero |= group.Length > 1 && text[group.Start] == '0';
        }

        var (start, end) = (scan.Groups[first].Start, scan.Groups[first + 3].End);

        // Zeros in front are padding when every part has three digits; else the number is a telephone's or a part's.
        return (!hasLeadingZero || widths == 12)
            && Boundary.IsFree(text, start, end)
            && !Boundary.TouchesDecimalPoint(text, start, end)
            && !scan.IsFound(start, end)
            && !IsOtherDottedNumber(text, start, end, largest);
    }

    private static bool IsPoint(ReadOnlySpan<char> text, int from, int to) => to - from == 1 && text[from] == '.';

    private static bool IsOtherDottedNumber(ReadOnlySpan<char> text, int start, int end, int largest)
    {
        // "Name/1.2.3.4" and "name@1.2.3.4" are versions, "//1.2.3.4" is a host, "user@1.2.3.4" is one too where the
        // user is known; which is not known here. "10.0.0.1-beta" is a version, "10.0.0.1-10.0.0.9" a range.
        if (start > 1 && text[start - 1] is '/' or '-' or '_' && char.IsLetter(text[start - 2]))
        {
            return true;
        }

        if (end + 1 < text.Length && text[end] is '-' or '+' && char.IsLetter(text[end + 1]))
        {
            return true;
        }

        var sign = start - (start > 0 && text[start - 1] == ' ' ? 2 : 1);
        if (Quantity.Is(text, start, end) || (sign >= 0 && text[sign] is '§' or '#'))
        {
            return true;
        }

        var host = WordWindow.DistanceBack(text, start, ContextWords.IpAddress);
        if (WordWindow.DistanceBack(text, start, ContextWords.DottedNumber, limit: 4, ContextWords.Between) < host)
        {
            return true;
        }

        return host == WordWindow.Absent && largest < 20 && IsHeading(text, start, end)
            && !WordWindow.HasForward(text, end, ContextWords.IpAddress);
    }

    /// <summary>Small numbers at the start of a line with a title behind them.</summary>
    private static bool IsHeading(ReadOnlySpan<char> text, int start, int end) =>
        (start == 0 || text[start - 1] == '\n') && end + 1 < text.Length && text[end] is ' ' or '\t'
        && char.IsUpper(text[end + 1]);
}
