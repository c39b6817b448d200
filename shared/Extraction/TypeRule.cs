using System.Globalization;
using System.Text;
using FeedbackLoop.Pii;

namespace FeedbackLoop.Extraction;

/// <summary>Why a type, or a part of what is said about it, stands in no prompt.</summary>
public static class LeftOutReason
{
    public const string PersonalData = "personal_data";
    public const string TooLong = "too_long";

    /// <summary>A character that no name of a type may have, or no letter and no digit.</summary>
    public const string Characters = "characters";

    /// <summary>Beyond the number, or the room, that a prompt has for them.</summary>
    public const string TooMany = "too_many";
}

/// <summary>
/// Which names a prompt may show and an answer may have. Whoever may write an object may choose its type, and a model
/// reads every prompt as instructions: a name has the characters and the length of a name, and nothing that could be a
/// sentence with an address, a bracket or a line of its own.
/// </summary>
public static class TypeRule
{
    private const string Signs = " _-./,&'+()";

    /// <param name="name">Of a type or a field, as <see cref="ComparedText.Spelling"/> makes it.</param>
    /// <returns>One of <see cref="LeftOutReason"/>; null when the name may stand in a prompt.</returns>
    public static string? Refuse(string name)
    {
        if (PiiScanner.Default.ContainsAny(name))
        {
            return LeftOutReason.PersonalData;
        }

        var (length, hasLetterOrDigit, areAllowed) = (0, false, true);
        foreach (var rune in name.EnumerateRunes())
        {
            length++;
            var isLetterOrDigit = IsLetterOrDigit(rune);
            hasLetterOrDigit |= isLetterOrDigit;
            areAllowed &= isLetterOrDigit || IsMark(rune) || (rune.IsBmp && Signs.Contains((char)rune.Value));
        }

        return length > PromptLimits.LongestName ? LeftOutReason.TooLong
            : areAllowed && hasLetterOrDigit ? null
            : LeftOutReason.Characters;
    }

    /// <summary>
    /// A name that is refused, as people may be shown it: without personal data and controls, and cut.
    /// </summary>
    public static string Shown(string name)
    {
        var redacted = PiiScanner.Default.Redact(PromptText.OneLine(name));
        return PromptText.Cut(redacted, PromptLimits.LongestName);
    }

    private static bool IsLetterOrDigit(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber;

    // Vowel signs and accents, without which many scripts write no word. Variation selectors are marks too: nobody sees
    // them, and a run of them can carry a text.
    private static bool IsMark(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
        && rune.Value is not (>= 0xFE00 and <= 0xFE0F or >= 0xE0100 and <= 0xE01EF or 0x034F);
}
