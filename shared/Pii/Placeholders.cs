using System.Globalization;
using System.Text.RegularExpressions;

namespace FeedbackLoop.Pii;

/// <summary>
/// What stands in place of a match: <c>[EMAIL]</c>, and <c>[EMAIL_2]</c> where several of a kind are told apart. A placeholder
/// is neither personal data nor a word that says what the number beside it is.
/// </summary>
internal static partial class Placeholders
{
    /// <summary>More digits than this are no number of a placeholder, lest a telephone number hides in one.</summary>
    private const int MaxDigits = 6;

    public static string For(PiiKind kind) => $"[{WordOf(kind)}]";

    /// <param name="number">From 1 on.</param>
    public static string For(PiiKind kind, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"[{WordOf(kind)}_{number}]");

    /// <summary>The numbered placeholders of a text, with the kind's word and the number as groups 1 and 2.</summary>
    [GeneratedRegex(@"\[(EMAIL|SSN|PHONE|CARD|IBAN|IP|SECRET)_([0-9]{1,6})\]", RegexOptions.CultureInvariant)]
    public static partial Regex Numbered();

    /// <summary>Whether the word at these offsets stands in the brackets of a placeholder.</summary>
    // Without this, the [CARD] of one number would be the context word of the number after it.
    public static bool IsWordOfOne(ReadOnlySpan<char> text, int start, int end)
    {
        if (start == 0 || end >= text.Length || text[start - 1] != '[' || !IsWord(text[start..end]))
        {
            return false;
        }

        if (text[end] == ']')
        {
            return true;
        }

        var close = end + 1;
        while (close < text.Length && close <= end + MaxDigits && char.IsAsciiDigit(text[close]))
        {
            close++;
        }

        return text[end] == '_' && close > end + 1 && close < text.Length && text[close] == ']';
    }

    /// <summary>Whether the digits at these offsets are the number of a placeholder.</summary>
    public static bool IsNumberOfOne(ReadOnlySpan<char> text, int start, int end)
    {
        if (end >= text.Length || text[end] != ']' || end - start > MaxDigits || start < 2 || text[start - 1] != '_')
        {
            return false;
        }

        var word = start - 1;
        while (word > 0 && char.IsAsciiLetterUpper(text[word - 1]))
        {
            word--;
        }

        return word > 0 && text[word - 1] == '[' && IsWord(text[word..(start - 1)]);
    }

    private static bool IsWord(ReadOnlySpan<char> word) =>
        word is "EMAIL" or "SSN" or "PHONE" or "CARD" or "IBAN" or "IP" or "SECRET";

    private static string WordOf(PiiKind kind) => kind switch
    {
        PiiKind.Email => "EMAIL",
        PiiKind.UsSocialSecurityNumber => "SSN",
        PiiKind.Phone => "PHONE",
        PiiKind.PaymentCard => "CARD",
        PiiKind.Iban => "IBAN",
        PiiKind.IpAddress => "IP",
        PiiKind.Secret => "SECRET",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
