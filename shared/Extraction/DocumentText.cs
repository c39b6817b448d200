using System.Text;

namespace FeedbackLoop.Extraction;

/// <summary>
/// A document's text between the delimiters of a prompt. Where the text itself has something that a model could take
/// for one of them, <c>&lt;/document&gt;</c> for example, a backslash stands behind its <c>&lt;</c>.
/// </summary>
/// <remarks>
/// That is: behind each <c>&lt;</c> which is followed by any number of backslashes, then by any number of slashes and
/// white space, then by the word "document" in any case. Because backslashes count as part of it, taking one away again
/// gives the text as it was. The client package and the local Vertex AI compile this file too, without anything else of
/// this library.
/// </remarks>
internal static class DocumentText
{
    private const string Word = "document";

    /// <returns>The same string when there is nothing to escape.</returns>
    public static string Escape(string text)
    {
        StringBuilder? escaped = null;
        var copied = 0;
        for (var at = text.IndexOf('<'); at >= 0; at = text.IndexOf('<', at + 1))
        {
            if (IsDelimiter(text, at + 1))
            {
                escaped ??= new StringBuilder(text.Length + 16);
                escaped.Append(text, copied, at + 1 - copied).Append('\\');
                copied = at + 1;
            }
        }

        return escaped is null ? text : escaped.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>What <see cref="Escape"/> was given.</summary>
    public static string Unescape(string text)
    {
        StringBuilder? plain = null;
        var copied = 0;
        for (var at = text.IndexOf('<'); at >= 0; at = text.IndexOf('<', at + 1))
        {
            if (at + 1 < text.Length && text[at + 1] == '\\' && IsDelimiter(text, at + 1))
            {
                plain ??= new StringBuilder(text.Length);
                plain.Append(text, copied, at + 1 - copied);
                copied = at + 2;
            }
        }

        return plain is null ? text : plain.Append(text, copied, text.Length - copied).ToString();
    }

    private static bool IsDelimiter(string text, int at)
    {
        while (at < text.Length && text[at] == '\\')
        {
            at++;
        }

        while (at < text.Length && (text[at] == '/' || char.IsWhiteSpace(text[at])))
        {
            at++;
        }

        return string.Compare(text, at, Word, 0, Word.Length, StringComparison.OrdinalIgnoreCase) == 0;
    }
}
