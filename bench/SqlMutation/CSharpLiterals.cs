using System.Text;
using System.Text.RegularExpressions;

namespace FeedbackLoop.SqlMutation;

/// <summary>
/// Reads the string literals of C# sources: enough of the language to tell code, comments and strings apart.
/// </summary>
internal static partial class CSharpLiterals
{
    public static IReadOnlyList<SqlLiteral> ReadSql(string file, string source)
    {
        var literals = new List<SqlLiteral>();
        for (var at = 0; at < source.Length;)
        {
            if (Starts(source, at, "//"))
            {
                at = Find(source, "\n", at);
            }
            else if (Starts(source, at, "/*"))
            {
                at = Find(source, "*/", at) + 2;
            }
            else if (source[at] == '\'')
            {
                at = source[at + 1] == '\\' ? Find(source, "'", at + 3) + 1 : at + 3;
            }
            else if (OpeningAt(source, at) is { } opening)
            {
                var (end, text) = ReadString(source, at, opening);
                if (IsSql(text))
                {
                    literals.Add(new SqlLiteral(file, 1 + source.AsSpan(0, at).Count('\n'), text));
                }

                at = end;
            }
            else
            {
                at++;
            }
        }

        return literals;
    }

    private static (int End, string Text) ReadString(string source, int at, string prefix)
    {
        var dollars = prefix.Count(c => c == '$');
        var quotes = prefix.Count(c => c == '"');
        var isRaw = quotes >= 3;
        var isVerbatim = prefix.Contains('@', StringComparison.Ordinal);
        var closing = new string('"', isRaw ? quotes : 1);
        var text = new StringBuilder();
        var holes = 0;
        at += prefix.Length;
        while (!Starts(source, at, closing) || (isVerbatim && Starts(source, at, "\"\"")))
        {
            if (!isRaw && !isVerbatim && source[at] == '\\')
            {
                text.Append(source[at + 1] == 'n' ? '\n' : source[at + 1]);
                at += 2;
            }
            else if (isVerbatim && source[at] == '"')
            {
                text.Append('"');
                at += 2;
            }
            else if (dollars > 0 && source[at] == '{' && !isRaw && source[at + 1] == '{')
            {
                text.Append('{');
                at += 2;
            }
            else if (dollars > 0 && Starts(source, at, new string('{', dollars)))
            {
                text.Append(SqlLiteral.Hole).Append((char)('0' + holes++));
                at = EndOfHole(source, at + dollars, dollars);
            }
            else
            {
                text.Append(source[at++]);
            }
        }

        return (at + closing.Length, isRaw ? WithoutMargin(text.ToString()) : text.ToString());
    }

    private static int EndOfHole(string source, int at, int dollars)
    {
        for (var depth = 0; ; at++)
        {
            if (OpeningAt(source, at) is { } opening)
            {
                at = ReadString(source, at, opening).End - 1;
            }
            else if (source[at] is '{' or '(')
            {
                depth++;
            }
            else if (source[at] == '}' && depth == 0)
            {
                return at + dollars;
            }
            else if (source[at] is '}' or ')')
            {
                depth--;
            }
        }
    }

    // The indentation of the closing quotes is not part of the text, nor are the line breaks beside the quotes.
    private static string WithoutMargin(string raw)
    {
        if (!raw.Contains('\n', StringComparison.Ordinal))
        {
            return raw;
        }

        var lines = raw.Split('\n');
        var margin = lines[^1].Length;
        return string.Join('\n', lines[1..^1].Select(line => line.Length >= margin ? line[margin..] : line.TrimStart()));
    }

    private static bool IsSql(string text) =>
        Statement().IsMatch(text) || (text.Contains('\n', StringComparison.Ordinal) && Clause().IsMatch(text));

    private static bool Starts(string source, int at, string what) =>
        string.CompareOrdinal(source, at, what, 0, what.Length) == 0;

    private static int Find(string source, string what, int at) =>
        source.IndexOf(what, at, StringComparison.Ordinal) is var found and >= 0 ? found : source.Length;

    /// <summary>
    /// What opens a string here; null when nothing does. Two quotes are an empty string, three and more a raw one.
    /// </summary>
    private static string? OpeningAt(string source, int at)
    {
        var opening = Opening().Match(source, at).Value;
        var quotes = opening.Count(c => c == '"');
        return quotes switch { 0 => null, 1 or 2 => opening[..(opening.Length - quotes + 1)], _ => opening };
    }

    [GeneratedRegex("\\G[$@]*\"+")]
    private static partial Regex Opening();

    [GeneratedRegex(@"^\s*(select|insert into|update|delete from|with|declare|\x01.\s+and)\s")]
    private static partial Regex Statement();

    [GeneratedRegex(@"(^|\s)(where|and|on|exists|join)\s")]
    private static partial Regex Clause();
}
