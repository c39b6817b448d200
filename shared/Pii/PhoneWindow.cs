using System.Buffers;

namespace FeedbackLoop.Pii;

/// <summary>Digit groups that may be one telephone number: joined by what people write between the parts.</summary>
/// <param name="First">Index of the first digit group.</param>
/// <param name="Last">Index of the last digit group.</param>
/// <param name="Start">Offset in the folded text, with a plus sign or a parenthesis before the first digit.</param>
/// <param name="HasPlus">A plus sign, also as <c>%2B</c>.</param>
/// <param name="HasParenthesis">The first group, and no more, stands in parentheses.</param>
internal readonly record struct PhoneWindow(int First, int Last, int Start, bool HasPlus, bool HasParenthesis)
{
    private static readonly SearchValues<char> Signs = SearchValues.Create(" -./()");

    private const int MaxGroups = 8;
    private const int MaxDigitsOfCountry = 5;

    // One more than a number has: "+49 (0)30 …".
    private const int MaxDigits = PhoneBook.MaxDigits + 1;

    /// <summary>The longest window that begins with this group.</summary>
    public static PhoneWindow At(scoped in PiiScan scan, int first)
    {
        var text = scan.Text;
        var start = scan.Groups[first].Start;
        var closes = scan.Groups[first].End < text.Length && text[scan.Groups[first].End] == ')';
        var hasParenthesis = closes && start > 0 && text[start - 1] == '(';
        start -= hasParenthesis ? 1 : 0;
        var hasPlus = start > 0 && text[start - 1] == '+';
        if (hasPlus)
        {
            start -= closes && start > 1 && text[start - 2] == '(' ? 2 : 1;
        }
        else if (start >= 3 && text[(start - 3)..start].Equals("%2B", StringComparison.OrdinalIgnoreCase))
        {
            hasPlus = true;
            start -= 3;
        }

        var isLoose = hasPlus || text[scan.Groups[first].Start] == '0';
        var digits = scan.Groups[first].Length;
        var last = first;
        while (last + 1 < scan.Groups.Length && last - first + 1 < MaxGroups
            && digits + scan.Groups[last + 1].Length <= MaxDigits
            && Joins(text[scan.Groups[last].End..scan.Groups[last + 1].Start], digits, isLoose))
        {
            digits += scan.Groups[++last].Length;
        }

        return new PhoneWindow(first, last, start, hasPlus, hasParenthesis && !hasPlus);
    }

    public int Count => Last - First + 1;

    public int End(scoped in PiiScan scan) => scan.Groups[Last].End;

    public ReadOnlySpan<DigitGroup> Groups(scoped in PiiScan scan) => scan.Groups.Slice(First, Count);

    public int DigitCount(scoped in PiiScan scan)
    {
        var count = 0;
        foreach (var group in Groups(scan))
        {
            count += group.Length;
        }

        return count;
    }

    /// <summary>The digits in a row, without the "(0)" behind a country code.</summary>
    public ReadOnlySpan<char> Digits(scoped in PiiScan scan, Span<char> buffer)
    {
        var length = 0;
        foreach (var group in Groups(scan))
        {
            var isNationalZero = length > 0 && group.Length == 1 && scan.Text[group.Start - 1] == '('
                && scan.Text[group.Start] == '0' && group.End < scan.Text.Length && scan.Text[group.End] == ')';
            if (!isNationalZero)
            {
                scan.Text[group.Start..group.End].CopyTo(buffer[length..]);
                length += group.Length;
            }
        }

        return buffer[..length];
    }

    /// <summary>The sign before the group at this place of the window, the space and parenthesis being ' '.</summary>
    public char SignBefore(scoped in PiiScan scan, int place)
    {
        var gap = scan.Text[scan.Groups[First + place - 1].End..scan.Groups[First + place].Start];
        var sign = gap.IndexOfAny('-', '.', '/');
        return sign < 0 ? ' ' : gap[sign];
    }

    // Dashes and slashes with spaces around them also stand between two numbers, and two spaces between two columns.
    private static bool Joins(ReadOnlySpan<char> gap, int digitsBefore, bool isLoose)
    {
        if (gap.Length is 0 or > 3 || gap.ContainsAnyExcept(Signs))
        {
            return false;
        }

        // Only the area and the zero of "+49 (0)30" stand in parentheses; a later one opens a remark.
        if (gap.Contains('('))
        {
            return digitsBefore <= MaxDigitsOfCountry;
        }

        return gap.Length == 1 || gap.Contains(')') || (isLoose && gap is " - " or " / " or " -" or "- " or "/ ");
    }
}
