using System.Buffers;

namespace FeedbackLoop.Pii;

/// <summary>
/// E-mail addresses: <c>local@domain.tld</c>, also with the at sign as <c>%40</c>. Lengths are those of RFC 5321
/// (local part 64, label 63, whole 254); the local part has the signs that people use, not all that RFC 5322 allows.
/// </summary>
internal static class EmailDetector
{
    private const int MaxLocal = 64;
    private const int MaxDomain = 190;

    private static readonly SearchValues<char> AtSigns = SearchValues.Create("@%");

    /// <summary>Endings of file names such as <c>icon@2x.png</c>; none is a top-level domain.</summary>
    private static readonly WordSet FileEndings = new(
        "png, jpg, jpeg, gif, svg, webp, css, js, json, html, txt, pdf, xml, csv");

    public static void Run(scoped ref PiiScan scan)
    {
        var text = scan.Text;
        var free = 0;
        var position = 0;
        while (!scan.IsDone && text[position..].IndexOfAny(AtSigns) is >= 0 and var skip)
        {
            var at = position + skip;
            position = at + 1;
            var isEncoded = text[at] == '%';
            if (isEncoded && !text[at..].StartsWith("%40", StringComparison.Ordinal))
            {
                continue;
            }

            var start = LocalStart(text, at, free);
            var domain = at + (isEncoded ? 3 : 1);
            var end = start < 0 ? -1 : DomainEnd(text, domain);
            if (end < 0 || text[start..at] is "git")
            {
                continue;
            }

            scan.Add(PiiKind.Email, start, end);
            free = end;
            position = end;
        }
    }

    /// <summary>Offset of the local part; -1 when none ends here.</summary>
    private static int LocalStart(ReadOnlySpan<char> text, int at, int free)
    {
        if (at == 0 || !IsLocal(text[at - 1]) || text[at - 1] is '.' or '\'')
        {
            return -1;
        }

        var start = at;
        while (start > free && IsLocal(text[start - 1]) && !(text[start - 1] == '.' && text[start] == '.'))
        {
            start--;
            if (at - start > MaxLocal)
            {
                return -1;
            }
        }

        // A quotation mark or a dash of the sentence is not part of the address.
        while (start < at && text[start] is '.' or '\'' or '-')
        {
            start++;
        }

        return start < at ? start : -1;
    }

    /// <summary>Offset after the longest valid domain; -1 when there is none.</summary>
    private static int DomainEnd(ReadOnlySpan<char> text, int start)
    {
        var limit = Math.Min(text.Length, start + MaxDomain);
        var best = -1;
        var label = start;
        var labels = 0;
        while (label < limit)
        {
            var end = label;
            while (end < limit && (IsLetter(text[end]) || char.IsAsciiDigit(text[end]) || text[end] == '-'))
            {
                end++;
            }

            var word = text[label..end].TrimEnd('-');
            if (word.IsEmpty || word.Length > 63 || word[0] == '-')
            {
                break;
            }

            labels++;
            if (labels > 1 && IsTopLevel(word))
            {
                best = label + word.Length;
            }

            if (word.Length < end - label || end >= limit || text[end] != '.')
            {
                break;
            }

            label = end + 1;
        }

        return best < 0 || IsVersion(text[start..best]) ? -1 : best;
    }

    private static bool IsTopLevel(ReadOnlySpan<char> label)
    {
        if (label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        foreach (var c in label)
        {
            if (!IsLetter(c))
            {
                return false;
            }
        }

        return label.Length is >= 2 and <= 24 && !FileEndings.Contains(label);
    }

    /// <summary>Package versions such as <c>name@1.2.3-beta.rc</c>.</summary>
    private static bool IsVersion(ReadOnlySpan<char> domain)
    {
        var dot = domain.IndexOf('.');
        return !domain[..dot].ContainsAnyExceptInRange('0', '9') && dot + 1 < domain.Length
            && char.IsAsciiDigit(domain[dot + 1]);
    }

    private static bool IsLocal(char c) =>
        IsLetter(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '%' or '+' or '\'' or '-';

    // Latin, Greek and Cyrillic. Scripts without spaces between words would glue a sentence to the address.
    private static bool IsLetter(char c) =>
        char.IsAsciiLetter(c) || (c is >= '\u00C0' and <= '\u052F' && char.IsLetter(c));
}
