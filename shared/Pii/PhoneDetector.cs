namespace FeedbackLoop.Pii;

/// <summary>
/// Telephone numbers. A number with a country code counts when it is in use. One without counts when it is in use and
/// either has a form that nothing else has or a word such as "phone" near it. Close to such a word, eight digits do.
/// </summary>
internal sealed class PhoneDetector(Lazy<PhoneBook> phoneBook)
{
    public const int MinDigits = 7;

    /// <summary>Digits that a word makes a telephone number although no region of the list uses them.</summary>
    private const int MinDigitsBesideWord = 8;
    private const int WordsBesideNumber = 4;
    private const int BufferLength = PhoneBook.MaxDigits + 1;

    private PhoneBook Book => phoneBook.Value;

    public void Run(scoped ref PiiScan scan)
    {
        for (var i = 0; i < scan.Groups.Length && !scan.IsDone; i++)
        {
            if (scan.Groups[i].Length > PhoneBook.MaxDigits)
            {
                continue;
            }

            var window = PhoneWindow.At(scan, i);
            var last = window.DigitCount(scan) < MinDigits ? -1
                : window.HasPlus || HasInternationalZeros(scan, window) ? LastOfInternational(scan, window)
                : LastOfNational(scan, window);
            if (last >= 0)
            {
                scan.Add(PiiKind.Phone, window.Start, scan.Groups[last].End);
                i = last;
            }
        }
    }

    private static bool HasInternationalZeros(scoped in PiiScan scan, PhoneWindow window)
    {
        var first = scan.Groups[window.First];
        return first.Length >= 2 && scan.Text[first.Start] == '0' && scan.Text[first.Start + 1] == '0';
    }

    /// <summary>Index of the number's last group; -1 when there is no number.</summary>
    private int LastOfInternational(scoped in PiiScan scan, PhoneWindow window)
    {
        Span<char> buffer = stackalloc char[BufferLength];
        var distance = WordWindow.DistanceBack(scan.Text, window.Start, ContextWords.Phone);
        if (!window.HasPlus && distance == WordWindow.Absent
            && (window.Count == 1 || IsThing(scan, window) || PhoneShape.IsDecimal(scan, window)
                || PhoneShape.IsTailOfChain(scan, window)))
        {
            return -1;
        }

        for (var last = window.Last; last >= window.First; last--)
        {
            var shorter = window with { Last = last };
            var digits = shorter.Digits(scan, buffer);
            digits = window.HasPlus ? digits : digits[2..];
            var isWhole = window.HasPlus || distance != WordWindow.Absent || PhoneShape.SignOnLine(scan, last) == '\0';
            if (isWhole && digits.Length >= MinDigits && IsFree(scan, shorter) && Book.IsInternational(digits))
            {
                return last;
            }
        }

        // The library's plans are never quite up to date: a word, or a plus sign and a grouped number of the plan's
        // length, stands in for them.
        var whole = window.Digits(scan, buffer);
        return IsFree(scan, window) && !PhoneShape.IsDecimal(scan, window)
            && ((distance <= WordsBesideNumber && whole.Length >= MinDigitsBesideWord)
                || (window.HasPlus && window.Count > 1 && !PhoneShape.HasThousands(scan, window)
                    && Book.IsPossible(whole)))
            ? window.Last
            : -1;
    }

    private int LastOfNational(scoped in PiiScan scan, PhoneWindow window)
    {
        if (IsNational(scan, window))
        {
            return window.Last;
        }

        // Behind a number, more numbers may follow: the sign changes ("212-555-0123 12"), or its form is complete.
        for (var last = window.First + 1; last < window.Last; last++)
        {
            var shorter = window with { Last = last };
            var changesSign = window.SignBefore(scan, last - window.First) != ' '
                && window.SignBefore(scan, last + 1 - window.First) == ' ';
            if ((changesSign || (PhoneShape.IsNorthAmerican(scan, shorter) && HasWord(scan, shorter)))
                && IsNational(scan, shorter))
            {
                return last;
            }
        }

        return MayBeNational(scan, window) && HasWord(scan, window) && IsNumberCloseToWord(scan, window)
            ? window.Last
            : -1;
    }

    private bool IsNational(scoped in PiiScan scan, PhoneWindow window)
    {
        if (!MayBeNational(scan, window))
        {
            return false;
        }

        Span<char> buffer = stackalloc char[BufferLength];
        var digits = window.Digits(scan, buffer);
        return HasWord(scan, window)
            ? !PhoneShape.IsAmount(scan, window) && Book.IsNational(digits)
            : IsFormOfPhone(scan, window, digits);
    }

    /// <summary>Nothing speaks against the window, with or without a word.</summary>
    private static bool MayBeNational(scoped in PiiScan scan, PhoneWindow window)
    {
        var text = scan.Text;
        var (start, end) = (window.Start, window.End(scan));
        return window.DigitCount(scan) is >= MinDigits and <= 13
            && IsFree(scan, window)
            && !CalendarShape.Is(text, window.Groups(scan))
            && !PhoneShape.IsDecimal(scan, window)
            && !IsFraction(scan, window)
            && !Quantity.Is(text, start, end)
            && !(PhoneShape.IsTailOfChain(scan, window) && text[scan.Groups[window.First].Start] != '0')
            && !(Boundary.IsPieceOfName(text, start, end)
                && WordWindow.DistanceBack(text, start, ContextWords.Phone, limit: 1) != 1);
    }

    /// <summary>Any eight digits close behind a word, and seven as they are dialled inside an American town.</summary>
    private static bool IsNumberCloseToWord(scoped in PiiScan scan, PhoneWindow window)
    {
        var distance = WordWindow.DistanceBack(scan.Text, window.Start, ContextWords.Phone, WordsBesideNumber);
        return distance != WordWindow.Absent && (window.DigitCount(scan) >= MinDigitsBesideWord
            ? !PhoneShape.HasThousands(scan, window) && !PhoneShape.IsRowOfTable(scan, window)
            : window.Count == 2 && scan.Groups[window.First].Length == 3 && window.SignBefore(scan, 1) is '-' or '.');
    }

    private bool IsFormOfPhone(scoped in PiiScan scan, PhoneWindow window, ReadOnlySpan<char> digits)
    {
        if (window.Count < 2 || scan.IsRefused(window.Start, window.End(scan)) || IsThing(scan, window)
            || PhoneShape.IsTailOfChain(scan, window))
        {
            return false;
        }

        return (PhoneShape.IsNorthAmerican(scan, window) && Book.IsNorthAmerican(digits))
            || ((PhoneShape.HasTrunkZero(scan, window) || (window.HasParenthesis && digits.Length >= 9))
                && Book.IsNational(digits));
    }

    /// <summary>Whether the nearest word that says what the number is says telephone.</summary>
    private static bool HasWord(scoped in PiiScan scan, PhoneWindow window)
    {
        var distance = WordWindow.DistanceBack(scan.Text, window.Start, ContextWords.Phone);
        var thing = WordWindow.DistanceOfThing(scan.Text, window.Start);
        return distance < thing || (distance == thing
            && WordWindow.HasForward(scan.Text, window.End(scan), ContextWords.Phone));
    }

    private static bool IsThing(scoped in PiiScan scan, PhoneWindow window) =>
        WordWindow.DistanceOfThing(scan.Text, window.Start) != WordWindow.Absent;

    /// <summary>Digits behind a decimal or thousands sign, unless the form says otherwise.</summary>
    private static bool IsFraction(scoped in PiiScan scan, PhoneWindow window)
    {
        var text = scan.Text;
        var start = window.Start;
        return start > 1 && text[start - 1] is '.' or ',' && char.IsAsciiDigit(text[start - 2])
            && (text[start - 1] == '.' || window.Count == 1 || window.SignBefore(scan, 1) != '-');
    }

    /// <summary>Whether the window stands free of letters and of what an earlier detector took.</summary>
    private static bool IsFree(scoped in PiiScan scan, PhoneWindow window)
    {
        var text = scan.Text;
        var (start, end) = (window.Start, window.End(scan));
        var hasExtension = end + 1 < text.Length && text[end] is 'x' or 'X' && char.IsAsciiDigit(text[end + 1]);
        return !(start > 0 && Boundary.IsWordCharacter(text[start - 1]))
            && (hasExtension || !(end < text.Length && Boundary.IsWordCharacter(text[end])))
            && !scan.IsFound(start, end);
    }
}
