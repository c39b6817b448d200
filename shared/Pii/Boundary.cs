namespace FeedbackLoop.Pii;

/// <summary>Where a number may begin and end.</summary>
internal static class Boundary
{
    public static bool IsWordCharacter(char c) => char.IsLetterOrDigit(c) || c == '_';

    /// <summary>Whether no letter, digit or underscore touches the range.</summary>
    public static bool IsFree(ReadOnlySpan<char> text, int start, int end) =>
        !(start > 0 && IsWordCharacter(text[start - 1])) && !(end < text.Length && IsWordCharacter(text[end]));

    /// <summary>Whether a decimal point or a dotted number stands directly before or after the range.</summary>
    public static bool TouchesDecimalPoint(ReadOnlySpan<char> text, int start, int end) =>
        (start > 1 && text[start - 1] == '.' && IsWordCharacter(text[start - 2]))
        || (end + 1 < text.Length && text[end] == '.' && char.IsAsciiDigit(text[end + 1]));

    /// <summary>
    /// Whether the range is a piece of a longer name: part numbers such as <c>AB-1234</c> or <c>1234-B</c>, UUIDs,
    /// issue keys such as <c>#1234</c>, paths.
    /// </summary>
    public static bool IsPieceOfName(ReadOnlySpan<char> text, int start, int end) =>
        (start > 0 && text[start - 1] == '#')
        || (start > 1 && text[start - 1] is '-' or '/' or '.' && IsWordCharacter(text[start - 2]))
        || (end + 1 < text.Length && text[end] is '-' or '/' && IsWordCharacter(text[end + 1]));
}
