namespace FeedbackLoop.Pii.Tests;

/// <summary>What happens to a number between a keyboard and a data set.</summary>
internal static class Disguise
{
    public static string Spaces(string value, string space) => value.Replace(" ", space, StringComparison.Ordinal);

    /// <summary>U+FF10 to U+FF19 for the digits.</summary>
    public static string FullWidth(string value) =>
        string.Concat(value.Select(c => char.IsAsciiDigit(c) ? (char)(c - '0' + '\uFF10') : c));

    /// <summary>A zero-width character behind every fourth sign.</summary>
    public static string ZeroWidth(string value, char joiner) =>
        string.Concat(value.Select((c, i) => i > 0 && i % 4 == 0 ? $"{joiner}{c}" : $"{c}"));

    /// <summary>One of the disguises that a number with spaces survives, or the number as it is.</summary>
    public static string Any(Dice dice, string value) => dice.Between(0, 11) switch
    {
        0 => Spaces(value, "\u00A0"),
        1 => Spaces(value, "\u202F"),
        2 => Spaces(value, "\u2009"),
        3 => FullWidth(value),
        4 => ZeroWidth(value, '\u200B'),
        5 => ZeroWidth(value, '\u2060'),
        6 => value.Replace('-', '\u2011'),
        7 => value.Replace('-', '\u2013'),
        _ => value,
    };
}
