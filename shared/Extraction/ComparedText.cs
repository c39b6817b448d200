using System.Globalization;
using System.Text;

namespace FeedbackLoop.Extraction;

/// <summary>
/// Names and types as they are compared: what two annotators would call the same spelling is one. Everything else, an article
/// or a plural among it, is a difference.
/// </summary>
public static class ComparedText
{
    /// <summary>Case ignored, underscores and runs of white space as one space.</summary>
    public static string Name(string name)
    {
        var folded = Fold(name);
        var text = new StringBuilder(folded.Length);
        foreach (var c in folded)
        {
            if (c is not '_' && !char.IsWhiteSpace(c))
            {
                text.Append(c);
            }
            else if (text.Length > 0 && text[^1] != ' ')
            {
                text.Append(' ');
            }
        }

        return text.ToString().TrimEnd(' ');
    }

    /// <summary>Whether a text has a name: what grounding means.</summary>
    /// <param name="text">Both as <see cref="Name"/> makes them.</param>
    public static bool Holds(string text, string name) => name.Length > 0 && text.Contains(name, StringComparison.Ordinal);

    /// <summary>Letters and digits alone, case ignored: <c>USES</c>, <c>uses</c> and <c>start time</c>, <c>start_time</c>.</summary>
    public static string Type(string type)
    {
        var text = new StringBuilder(type.Length);
        foreach (var rune in Fold(type).EnumerateRunes().Where(Rune.IsLetterOrDigit))
        {
            text.Append(rune.ToString());
        }

        return text.Length > 0 ? text.ToString() : type;
    }

    // Code point by code point: to unify composed and decomposed forms takes ICU, which the functions' images do not have.
    private static string Fold(string text) => text.ToLower(CultureInfo.InvariantCulture);
}
