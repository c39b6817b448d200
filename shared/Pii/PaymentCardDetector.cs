namespace FeedbackLoop.Pii;

/// <summary>
/// Payment cards: 12 to 19 digits with a valid check digit, and an issuer's range or a word such as "card" beside
/// them. One in ten random numbers has a valid check digit, so the check alone decides nothing.
/// </summary>
internal static class PaymentCardDetector
{
    private const int MinDigits = 12;
    private const int MaxDigits = 19;

    /// <summary>How issuers print their numbers, the longest first.</summary>
    private static readonly int[][] PrintedForms =
    [
        [4, 4, 4, 4, 3], [6, 13], [4, 4, 4, 4, 2], [4, 4, 4, 4], [8, 8], [4, 6, 5], [4, 6, 4], [4, 4, 4, 1], [4, 4, 4],
    ];

    public static void Run(scoped ref PiiScan scan)
    {
        for (var i = 0; i < scan.Groups.Length && !scan.IsDone; i++)
        {
            var count = GroupsOfCard(scan, i);
            if (count > 0)
            {
                scan.Add(PiiKind.PaymentCard, scan.Groups[i].Start, scan.Groups[i + count - 1].End);
                i += count - 1;
            }
        }
    }

    /// <summary>Groups of the card that begins with the group at <paramref name="first"/>; 0 when none does.</summary>
    private static int GroupsOfCard(scoped in PiiScan scan, int first)
    {
        var length = scan.Groups[first].Length;
        if (length > MaxDigits)
        {
            return 0;
        }

        if (length >= MinDigits)
        {
            return IsCard(scan, first, 1, isPrintedForm: false) ? 1 : 0;
        }

        if (length is 4 or 6 or 8)
        {
            foreach (var form in PrintedForms)
            {
                if (HasForm(scan, first, form) && IsCard(scan, first, form.Length, isPrintedForm: true))
                {
                    return form.Length;
                }
            }
        }

        return FreelyGrouped(scan, first);
    }

    private static bool HasForm(scoped in PiiScan scan, int first, int[] form)
    {
        if (first + form.Length > scan.Groups.Length || scan.Groups[first].Length != form[0])
        {
            return false;
        }

        // Two long groups on two lines are the last and the first column of a table.
        var sign = Separator.After(scan, first);
        if (sign is '\0' or '/'
            || (form.Length == 2 && scan.Text[scan.Groups[first].End..scan.Groups[first + 1].Start].Contains('\n')))
        {
            return false;
        }

        for (var i = 1; i < form.Length; i++)
        {
            if (scan.Groups[first + i].Length != form[i] || Separator.After(scan, first + i - 1) != sign)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A whole chain of groups in a form that no issuer prints; counts only beside a word.</summary>
    private static int FreelyGrouped(scoped in PiiScan scan, int first)
    {
        if (Separator.Before(scan, first) is ' ' or '-')
        {
            return 0;
        }

        var digits = scan.Groups[first].Length;
        var next = first;
        while (digits <= MaxDigits && Separator.After(scan, next) is ' ' or '-')
        {
            digits += scan.Groups[++next].Length;
        }

        return next > first && digits is >= MinDigits and <= MaxDigits && IsCard(scan, first, next - first + 1, false)
            ? next - first + 1
            : 0;
    }

    private static bool IsCard(scoped in PiiScan scan, int first, int count, bool isPrintedForm)
    {
        var text = scan.Text;
        var start = scan.Groups[first].Start;
        var end = scan.Groups[first + count - 1].End;
        Span<char> buffer = stackalloc char[MaxDigits];
        var digits = Digits(scan, first, count, buffer);
        if (!Luhn.IsValid(digits) || !digits.ContainsAnyExcept(digits[0]) || !Boundary.IsFree(text, start, end)
            || Boundary.TouchesDecimalPoint(text, start, end) || scan.IsFound(start, end))
        {
            return false;
        }

        if (WordWindow.Has(text, start, end, ContextWords.Card))
        {
            // Thirteen digits from 1 on are milliseconds since 1970.
            return !(digits.Length == 13 && digits[0] == '1')
                && !(count is > 1 and < 4 && IsRowOfTable(scan, first, count))
                && (CardRanges.Judge(digits) > CardLikelihood.Unknown || !IsThing(text, start));
        }

        return CardRanges.Judge(digits) == CardLikelihood.Strong
            && (count == 1 || isPrintedForm)
            && !Boundary.IsPieceOfName(text, start, end)
            && !Quantity.Is(text, start, end)
            && !(count == 1 && IsThing(text, start))
            && !(count > 1 && IsRowOfTable(scan, first, count));
    }

    private static bool IsThing(ReadOnlySpan<char> text, int start) =>
        WordWindow.DistanceOfThing(text, start) != WordWindow.Absent;

    /// <summary>More groups of four on either side: a table, and every window of it would be a candidate.</summary>
    private static bool IsRowOfTable(scoped in PiiScan scan, int first, int count)
    {
        var last = first + count - 1;
        var sign = Separator.After(scan, first);
        return (Separator.Before(scan, first) == sign && IsFreeGroupOfFour(scan, first - 1))
            || (Separator.After(scan, last) == sign && IsFreeGroupOfFour(scan, last + 1));
    }

    private static bool IsFreeGroupOfFour(scoped in PiiScan scan, int group) =>
        scan.Groups[group].Length == 4 && !scan.IsFound(scan.Groups[group].Start, scan.Groups[group].End);

    private static ReadOnlySpan<char> Digits(scoped in PiiScan scan, int first, int count, Span<char> buffer)
    {
        var length = 0;
        for (var i = first; i < first + count; i++)
        {
            scan.Text[scan.Groups[i].Start..scan.Groups[i].End].CopyTo(buffer[length..]);
            length += scan.Groups[i].Length;
        }

        return buffer[..length];
    }
}
