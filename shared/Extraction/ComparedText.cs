using System.Globalization;
using System.Text;

namespace FeedbackLoop.Extraction;

/// <summary>
/// Names and types as they are written and as they are compared: what two annotators would call the same spelling is one.
/// Everything else, an article or a plural among it, is a difference.
/// </summary>
public static class ComparedText
{
    /// <summary>
    /// The one form in which a type, or a project's name, is stored, shown and answered: composed (NFC), without white space
    /// around it, and each run of white space inside as one space.
    /// </summary>
    public static string Spelling(string text) => Spaced(ComposedText.Of(text), char.IsWhiteSpace, origins: null);

    /// <summary>A type, or a project's name, as it is compared: its spelling, case ignored.</summary>
    public static string Type(string type) => Fold(Spelling(type));

    /// <summary>A name as it is compared: composed, case ignored, underscores and runs of white space as one space.</summary>
    public static string Name(string name) => Ascii.IsValid(name) ? AsciiName(name) : Name(name, origins: null);

    /// <param name="origins">Gets, for each character of the result, the one of <paramref name="text"/> it comes from.</param>
    internal static string Name(string text, List<int>? origins)
    {
        var composed = ComposedText.Of(text, out var first);
        var folded = ComposedText.Of(Fold(composed), out var second);
        var result = Spaced(folded, c => c is '_' || char.IsWhiteSpace(c), origins);
        for (var i = 0; i < (origins?.Count ?? 0); i++)
        {
            var place = second?[origins![i]] ?? origins![i];
            origins![i] = first?[place] ?? place;
        }

        return result;
    }

    /// <summary>Whether a text has a name, as whole words: what grounding means.</summary>
    /// <param name="text">Both as <see cref="Name(string)"/> makes them.</param>
    public static bool Holds(string text, string name) => WholeWords.IndexOf(text, name) >= 0;

    // Most names, and an export compares every one of its millions.
    private static string AsciiName(string name)
    {
        var result = name.Length <= 256 ? stackalloc char[name.Length] : new char[name.Length];
        var length = 0;
        foreach (var c in name)
        {
            if (c is not '_' && !char.IsWhiteSpace(c))
            {
                result[length++] = char.ToLowerInvariant(c);
            }
            else if (length > 0 && result[length - 1] != ' ')
            {
                result[length++] = ' ';
            }
        }

        return new(result[..length].TrimEnd(' '));
    }

    // Up and down again, character by character: "ς" and "σ" are one, and the length stays.
    private static string Fold(string text) => text.ToUpper(CultureInfo.InvariantCulture).ToLower(CultureInfo.InvariantCulture);

    private static string Spaced(string text, Func<char, bool> isSpace, List<int>? origins)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var isGap = isSpace(text[i]);
            if (isGap && (result.Length == 0 || result[^1] == ' '))
            {
                continue;
            }

            result.Append(isGap ? ' ' : text[i]);
            origins?.Add(i);
        }

        if (result.Length > 0 && result[^1] == ' ')
        {
            result.Length--;
        }

        return result.ToString();
    }
}
