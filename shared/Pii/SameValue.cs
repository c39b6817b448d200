using System.Globalization;
using System.Net;
using System.Text;

namespace FeedbackLoop.Pii;

/// <summary>When two spellings are one value: what a placeholder's number stands for.</summary>
internal static class SameValue
{
    private static readonly IdnMapping International = new();

    /// <summary>
    /// One form for all spellings of a value. Addresses: without regard to case, the host in its own letters. Telephone, card
    /// and social security numbers: the digits, without the 00 and the "(0)" of a telephone number. IBAN: letters and digits.
    /// IP: the address. A secret is only itself.
    /// </summary>
    public static string Of(PiiKind kind, ReadOnlySpan<char> match)
    {
        if (kind == PiiKind.Secret)
        {
            return match.ToString();
        }

        var folded = new FoldedText(match);
        var text = folded.Text.ToString();
        folded.Dispose();
        return kind switch
        {
            PiiKind.Email => Address(text),
            PiiKind.Phone => Telephone(text),
            PiiKind.Iban => Kept(text, char.IsAsciiLetterOrDigit).ToUpperInvariant(),
            PiiKind.IpAddress => IPAddress.TryParse(text, out var address) && text.Contains(':', StringComparison.Ordinal)
                ? address.ToString()
                : string.Join('.', text.Split('.').Select(part => part.Length > 1 ? part.TrimStart('0').PadLeft(1, '0') : part)),
            _ => Kept(text, char.IsAsciiDigit),
        };
    }

    private static string Address(string text)
    {
        var address = text.Replace("%40", "@", StringComparison.Ordinal).ToLowerInvariant();
        var host = address.LastIndexOf('@') + 1;
        if (!address.AsSpan(host).Contains("xn--", StringComparison.Ordinal))
        {
            return address;
        }

        try
        {
            return address[..host] + International.GetUnicode(address, host);
        }
        catch (ArgumentException)
        {
            return address;
        }
    }

    private static string Telephone(string text)
    {
        var isInternational = text.Contains('+', StringComparison.Ordinal)
            || text.StartsWith("%2B", StringComparison.OrdinalIgnoreCase);
        text = text.StartsWith("%2B", StringComparison.OrdinalIgnoreCase) ? text[3..] : text;
        var digits = Kept(isInternational ? text.Replace("(0)", "", StringComparison.Ordinal) : text, char.IsAsciiDigit);
        return !isInternational && digits.StartsWith("00", StringComparison.Ordinal) ? digits[2..] : digits;
    }

    private static string Kept(string text, Func<char, bool> isKept)
    {
        var kept = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            _ = isKept(c) ? kept.Append(c) : kept;
        }

        return kept.ToString();
    }
}
