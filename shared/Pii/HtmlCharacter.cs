using System.Globalization;

namespace FeedbackLoop.Pii;

/// <summary>
/// Characters as HTML writes them: <c>&amp;#64;</c>, <c>&amp;#x40;</c>, <c>&amp;commat;</c>. Only what an address or a number is
/// made of: letters, digits, signs and the space.
/// </summary>
internal static class HtmlCharacter
{
    private const int LongestReference = 10;

    /// <summary>The character whose reference begins at the ampersand, and the reference's length; length 0 for none.</summary>
    public static (char Character, int Length) At(ReadOnlySpan<char> text, int ampersand)
    {
        var rest = text.Slice(ampersand, Math.Min(LongestReference, text.Length - ampersand));
        var end = rest.IndexOf(';');
        if (end < 3)
        {
            return default;
        }

        var name = rest[1..end];
        var code = name[0] == '#' ? Number(name[1..]) : Named(name);
        return code switch
        {
            0xA0 => (' ', end + 1),
            '&' or '<' or '>' => default,
            >= ' ' and <= '~' => ((char)code, end + 1),
            _ => default,
        };
    }

    private static int Number(ReadOnlySpan<char> digits)
    {
        var isHex = digits is ['x' or 'X', ..];
        return int.TryParse(
            isHex ? digits[1..] : digits, isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None,
            CultureInfo.InvariantCulture, out var code)
                ? code
                : -1;
    }

    private static int Named(ReadOnlySpan<char> name) => name switch
    {
        "commat" => '@',
        "period" => '.',
        "lowbar" => '_',
        "plus" => '+',
        "quot" => '"',
        "nbsp" => ' ',
        _ => -1,
    };
}
