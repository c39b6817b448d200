using System.Buffers;

namespace FeedbackLoop.Pii;

/// <summary>
/// Passwords in URLs: <c>scheme://user:password@host</c>. The user and the at sign before the host are no address; what else
/// stands there may be one (<c>https://jane%40example.com:…@host</c>). Source: RFC 3986, 3.2.1.
/// </summary>
internal static class UrlUserDetector
{
    private const int MaxLength = 512;
    private const string Authority = "://";

    private static readonly SearchValues<char> EndsUser = SearchValues.Create(":@/?#\"'<>`\\,;|()[]{} \t\r\n");
    private static readonly SearchValues<char> EndsPassword = SearchValues.Create("/?#\"<>` \t\r\n");

    public static void Run(scoped ref PiiScan scan)
    {
        var text = scan.Text;
        if (!text.Contains('@'))
        {
            return;
        }

        var position = 0;
        while (!scan.IsDone && text[position..].IndexOf(Authority) is >= 0 and var skip)
        {
            var start = position + skip + Authority.Length;
            position = start;
            if (HasScheme(text, start - Authority.Length))
            {
                Judge(ref scan, start, Math.Min(text.Length, start + MaxLength));
            }
        }
    }

    private static void Judge(scoped ref PiiScan scan, int start, int limit)
    {
        var text = scan.Text;
        var user = text[start..limit].IndexOfAny(EndsUser);
        if (user < 0 || text[start + user] is not ('@' or ':'))
        {
            return;
        }

        if (text[start + user] == '@')
        {
            RefuseAtSign(ref scan, start + user);
            return;
        }

        // "host:80" has no at sign behind it; a password may hold one, and the last is the host's.
        var password = start + user + 1;
        var end = text[password..limit].IndexOfAny(EndsPassword);
        var at = text[password..(end < 0 ? limit : password + end)].LastIndexOf('@');
        if (at < 0 || !RefuseAtSign(ref scan, password + at))
        {
            return;
        }

        if (!IsLeftOpen(text.Slice(password, at)))
        {
            scan.Add(PiiKind.Secret, password, password + at);
        }
    }

    /// <summary>Marks the at sign before a host; false when no host follows.</summary>
    private static bool RefuseAtSign(scoped ref PiiScan scan, int at)
    {
        if (at + 1 >= scan.Text.Length || !(char.IsLetterOrDigit(scan.Text[at + 1]) || scan.Text[at + 1] is '[' or '{' or '$'))
        {
            return false;
        }

        scan.Refuse(at, at + 1);
        return true;
    }

    /// <summary>Letters before the colon; <c>mailto://jane@…</c> is a mistake for <c>mailto:jane@…</c>, and an address.</summary>
    private static bool HasScheme(ReadOnlySpan<char> text, int colon)
    {
        var start = colon;
        while (start > 0 && colon - start < 16
            && (char.IsAsciiLetterOrDigit(text[start - 1]) || text[start - 1] is '+' or '-' or '.'))
        {
            start--;
        }

        return start < colon && !text[start..colon].EndsWith("mailto", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Whether a variable, asterisks or a placeholder stands where the password goes.</summary>
    private static bool IsLeftOpen(ReadOnlySpan<char> password) =>
        password.IsEmpty
        || password[0] == '$'
        || password is "%s" or ['{', .., '}'] or ['[', .., ']'] or ['%', _, .., '%'] or ['%', '(', .., ')', 's']
        || !password.ContainsAnyExcept('*')
        || !password.ContainsAnyExcept('x')
        || !password.ContainsAnyExcept('X')
        || !password.ContainsAnyExcept('.', '…');
}
