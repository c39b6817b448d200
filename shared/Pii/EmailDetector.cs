using System.Buffers;

namespace FeedbackLoop.Pii;

/// <summary>
/// E-mail addresses: <c>local@domain.tld</c>, also with the at sign as <c>%40</c>. Lengths are those of RFC 5321
/// (local part 64, label 63, whole 254); the local part has the signs that people use, not all that RFC 5322 allows, or stands
/// in quotation marks.
/// </summary>
internal static class EmailDetector
{
    private const int MaxLocal = 64;
    private const int MaxDomain = 190;
    private const int MaxPath = 200;

    private static readonly SearchValues<char> AtSigns = SearchValues.Create("@%");
    private static readonly SearchValues<char> EndsPath = SearchValues.Create(" \t\r\n\"'<>()[]{}`,;|");

    /// <summary>Endings of images and films that are top-level domains as well.</summary>
    private static readonly WordSet MediaEndings = new("mov, ai, zip");

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
            if ((isEncoded && !text[at..].StartsWith("%40", StringComparison.Ordinal)) || scan.IsRefused(at, at + 1))
            {
                continue;
            }

            var host = at + (isEncoded ? 3 : 1);
            var end = at == 0 ? -1 : HostEnd(text, host);
            var start = end < 0 ? -1 : LocalStart(text, at, free, HasOtherLetter(text[host..end]));
            if (start < 0 || text[start..at] is "git" || IsScaledImage(text, host) || IsPlaceOfFiles(text, end)
                || scan.IsFound(start, end))
            {
                continue;
            }

            scan.Add(PiiKind.Email, start, end);
            free = end;
            position = end;
        }
    }

    /// <summary>Offset of the local part; -1 when none ends here.</summary>
    /// <param name="isInternational">The host has letters that are neither Latin nor Greek nor Cyrillic.</param>
    private static int LocalStart(ReadOnlySpan<char> text, int at, int free, bool isInternational)
    {
        if (text[at - 1] == '"')
        {
            return QuotedStart(text, at, free);
        }

        // Scripts without spaces between words would glue a sentence to the address, so their letters count only where one
        // stands beside the at sign or in the host.
        var takesOthers = isInternational || HostNames.IsOtherLetter(text[at - 1]);
        if (!IsLocal(text[at - 1], takesOthers) || text[at - 1] is '.' or '\'')
        {
            return -1;
        }

        var start = at;
        while (start > free && IsLocal(text[start - 1], takesOthers) && !(text[start - 1] == '.' && text[start] == '.'))
        {
            if (at - start == MaxLocal)
            {
                if (takesOthers)
                {
                    break;
                }

                return -1;
            }

            start--;
        }

        // A quotation mark or a dash of the sentence is not part of the address.
        while (start < at && text[start] is '.' or '\'' or '-')
        {
            start++;
        }

        return start < at ? start : -1;
    }

    /// <summary>Offset of the opening mark of <c>"jane doe"@…</c>, also where both are escaped as in JSON.</summary>
    private static int QuotedStart(ReadOnlySpan<char> text, int at, int free)
    {
        var isEscaped = at > 1 && text[at - 2] == '\\';
        var end = at - (isEscaped ? 2 : 1);
        for (var i = end - 1; i >= Math.Max(free, at - MaxLocal); i--)
        {
            if (text[i] is '\n' or '\r')
            {
                return -1;
            }

            if (text[i] == '"' && (i > 0 && text[i - 1] == '\\') == isEscaped)
            {
                var start = isEscaped ? i - 1 : i;
                return i + 1 < end && start >= free ? start : -1;
            }
        }

        return -1;
    }

    /// <summary>Offset after the longest valid domain; -1 when there is none.</summary>
    private static int HostEnd(ReadOnlySpan<char> text, int start)
    {
        var limit = Math.Min(text.Length, start + MaxDomain);
        var best = -1;
        var label = start;
        var labels = 0;
        while (label < limit)
        {
            var latin = label;
            while (latin < limit && IsHost(text[latin], takesOthers: false))
            {
                latin++;
            }

            var end = latin;
            while (end < limit && IsHost(text[end], takesOthers: true))
            {
                end++;
            }

            var word = text[label..end].TrimEnd("-_");
            if (word.IsEmpty || word.Length > 63 || word[0] is '-' or '_')
            {
                break;
            }

            labels++;
            if (labels > 1 && HostNames.TopLevel(word, Math.Min(latin - label, word.Length)) is > 0 and var length)
            {
                best = label + length;
            }

            if (word.Length < end - label || end >= limit || text[end] != '.')
            {
                break;
            }

            label = end + 1;
        }

        return best < 0 || IsVersion(text[start..best]) ? -1 : best;
    }

    /// <summary>Package versions such as <c>name@1.2.3-beta.rc</c>.</summary>
    private static bool IsVersion(ReadOnlySpan<char> domain)
    {
        var dot = domain.IndexOf('.');
        return !domain[..dot].ContainsAnyExceptInRange('0', '9') && dot + 1 < domain.Length
            && char.IsAsciiDigit(domain[dot + 1]);
    }

    /// <summary><c>logo@2x.en.png</c>: a picture for a screen of twice the resolution.</summary>
    private static bool IsScaledImage(ReadOnlySpan<char> text, int host)
    {
        var scale = host;
        while (scale < text.Length && scale < host + 2 && char.IsAsciiDigit(text[scale]))
        {
            scale++;
        }

        if (scale == host || scale + 1 >= text.Length || text[scale] != 'x' || text[scale + 1] != '.')
        {
            return false;
        }

        var end = scale;
        while (end < text.Length && end < host + MaxDomain && (IsHost(text[end], takesOthers: false) || text[end] == '.'))
        {
            end++;
        }

        var name = text[scale..end].TrimEnd('.');
        var ending = name[(name.LastIndexOf('.') + 1)..];
        return HostNames.FileEndings.Contains(ending) || MediaEndings.Contains(ending);
    }

    /// <summary>
    /// <c>user@host:team/project.git</c>, <c>user@host:/path</c>: a login and a place. A colon with anything else behind it, as in
    /// a list of addresses and passwords, leaves an address an address.
    /// </summary>
    private static bool IsPlaceOfFiles(ReadOnlySpan<char> text, int end)
    {
        if (end + 1 >= text.Length || text[end] != ':')
        {
            return false;
        }

        var path = text.Slice(end + 1, Math.Min(MaxPath, text.Length - end - 1));
        var length = path.IndexOfAny(EndsPath);
        path = (length < 0 ? path : path[..length]).TrimEnd(".:!?");
        return !path.StartsWith("//", StringComparison.Ordinal) && !path.Contains("://", StringComparison.Ordinal)
            && ((path.Length > 1 && path.Contains('/')) || path.EndsWith(".git", StringComparison.OrdinalIgnoreCase));
    }

    private static bool HasOtherLetter(ReadOnlySpan<char> host)
    {
        foreach (var c in host)
        {
            if (HostNames.IsOtherLetter(c))
            {
                return true;
            }
        }

        return false;
    }

    // An underscore is no sign of a host's name, and hosts inside companies have it.
    private static bool IsHost(char c, bool takesOthers) =>
        HostNames.IsLetter(c) || char.IsAsciiDigit(c) || c is '-' or '_' || (takesOthers && HostNames.IsOtherLetter(c));

    private static bool IsLocal(char c, bool takesOthers) =>
        HostNames.IsLetter(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '%' or '+' or '\'' or '-'
        || (takesOthers && HostNames.IsOtherLetter(c));
}
