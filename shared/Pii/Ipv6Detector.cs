using System.Net;
using System.Net.Sockets;

namespace FeedbackLoop.Pii;

/// <summary>IPv6 addresses, parsed after the match. Hardware addresses, times and <c>a::b</c> are none.</summary>
internal static class Ipv6Detector
{
    private const int MaxLength = 45;

    public static void Run(scoped ref PiiScan scan)
    {
        var text = scan.Text;
        var position = 0;
        while (!scan.IsDone && text[position..].IndexOf(':') is >= 0 and var skip)
        {
            var colon = position + skip;
            var start = colon;
            while (start > position && start > colon - 5 && char.IsAsciiHexDigit(text[start - 1]))
            {
                start--;
            }

            var end = colon;
            var colons = 0;
            while (end < text.Length && (char.IsAsciiHexDigit(text[end]) || text[end] is ':' or '.'))
            {
                colons += text[end++] == ':' ? 1 : 0;
            }

            position = end;
            end = WithoutSentenceMarks(text, start, end);
            if (colons >= 2 && IsAddress(text, start, end) && !scan.IsFound(start, end))
            {
                scan.Add(PiiKind.IpAddress, start, end);
            }
        }
    }

    private static int WithoutSentenceMarks(ReadOnlySpan<char> text, int start, int end)
    {
        while (end > start
            && (text[end - 1] == '.' || (text[end - 1] == ':' && end - 2 > start && text[end - 2] != ':')))
        {
            end--;
        }

        return end;
    }

    private static bool IsAddress(ReadOnlySpan<char> text, int start, int end)
    {
        var word = text[start..end];
        if (word.Length is < 3 or > MaxLength || !Boundary.IsFree(text, start, end)
            || !word.ContainsAnyInRange('0', '9')
            || !IPAddress.TryParse(word, out var address) || address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return false;
        }

        // "x[::1]" is a slice of an array, "name::1" a scope.
        if (word[0] == ':' && start > 0 && (text[start - 1] is '.' or '-' || (text[start - 1] == '['
            && start > 1 && (Boundary.IsWordCharacter(text[start - 2]) || text[start - 2] == ']'))))
        {
            return false;
        }

        var gap = word.IndexOf("::", StringComparison.Ordinal);
        return gap switch
        {
            // Eight groups of two digits are a hardware address, eight small numbers a ratio.
            -1 => HasGroupOfThree(word),
            0 => word is "::1" || word.Contains('.') || word[2..].Contains(':'),
            _ => IsAssignedPrefix(word[..gap]),
        };
    }

    /// <summary>Whether the first group is of a range in use: global, NAT64, local, link-local, multicast.</summary>
    // Source: IANA IPv6 address space registry, 2024.
    private static bool IsAssignedPrefix(ReadOnlySpan<char> head)
    {
        var colon = head.IndexOf(':');
        var first = colon < 0 ? head : head[..colon];
        return first.Length == 4
            ? first[0] is '2' or '3' or 'f' or 'F'
            : first is "64" && colon > 0;
    }

    private static bool HasGroupOfThree(ReadOnlySpan<char> word)
    {
        foreach (var group in word.Split(':'))
        {
            if (word[group].Length >= 3)
            {
                return true;
            }
        }

        return false;
    }
}
