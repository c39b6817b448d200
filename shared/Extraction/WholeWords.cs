using System.Globalization;
using System.Text;

namespace FeedbackLoop.Extraction;

/// <summary>
/// Finds a name as whole words: "The enterprise maintains its brochure." names neither ERP nor AI nor BRO.
/// </summary>
/// <remarks>
/// A word is made of letters, digits and the marks on them. Where a script writes no spaces between words (Chinese, Japanese,
/// Thai, Lao, Khmer, Burmese, Tibetan and their neighbours), any place is an edge. Korean writes spaces before words and puts
/// its particles behind them ("서울은"), so behind a name Hangul is an edge, and before it only where it is not Hangul as well.
/// </remarks>
public static class WholeWords
{
    /// <summary>First and last code points of the scripts without spaces, in order.</summary>
    private static readonly (int First, int Last)[] WithoutSpaces =
    [
        (0x0E00, 0x0EFF), // Thai, Lao
        (0x0F00, 0x0FFF), // Tibetan
        (0x1000, 0x109F), // Myanmar
        (0x1780, 0x17FF), // Khmer
        (0x1950, 0x19FF), // Tai Le, New Tai Lue, Khmer symbols
        (0x1A20, 0x1AAF), // Tai Tham
        (0x2E80, 0x2FDF), // radicals
        (0x3005, 0x3007), // 々, 〆, 〇
        (0x3021, 0x3029),
        (0x3031, 0x312F), // Hiragana, Katakana, Bopomofo
        (0x3190, 0x31FF),
        (0x3400, 0x4DBF), // Han
        (0x4E00, 0x9FFF),
        (0xA000, 0xA4CF), // Yi
        (0xA980, 0xA9DF), // Javanese
        (0xA9E0, 0xA9FF), // Myanmar
        (0xAA60, 0xAADF), // Myanmar, Tai Viet
        (0xF900, 0xFAFF), // Han
        (0xFF66, 0xFF9F), // Katakana of half width
        (0x1B000, 0x1B16F), // Kana
        (0x20000, 0x3FFFF), // Han
    ];

    /// <returns>Where <paramref name="name"/> first stands in <paramref name="text"/> as whole words; else -1, as for "".</returns>
    public static int IndexOf(string text, string name)
    {
        for (var at = name.Length == 0 ? -1 : text.IndexOf(name, StringComparison.Ordinal); at >= 0;)
        {
            if (IsStart(text, at) && IsEnd(text, at + name.Length))
            {
                return at;
            }

            at = text.IndexOf(name, at + 1, StringComparison.Ordinal);
        }

        return -1;
    }

    private static bool IsStart(string text, int at)
    {
        var (before, first) = (KindBefore(text, at), KindAt(text, at));
        return before is Kind.Other or Kind.WithoutSpaces || first is Kind.Other or Kind.WithoutSpaces
            || (before is Kind.Hangul) != (first is Kind.Hangul);
    }

    private static bool IsEnd(string text, int at) =>
        KindAt(text, at) is not Kind.Word || KindBefore(text, at) is not Kind.Word;

    private static Kind KindAt(string text, int at) =>
        at < text.Length && Rune.TryGetRuneAt(text, at, out var rune) ? KindOf(rune) : Kind.Other;

    private static Kind KindBefore(string text, int at) =>
        at > 1 && Rune.TryGetRuneAt(text, at - 2, out var rune) && rune.Utf16SequenceLength == 2 ? KindOf(rune)
        : at > 0 ? KindAt(text, at - 1)
        : Kind.Other;

    private static Kind KindOf(Rune rune)
    {
        if (rune.IsAscii)
        {
            return Rune.IsLetterOrDigit(rune) ? Kind.Word : Kind.Other;
        }

        return Rune.GetUnicodeCategory(rune) switch
        {
            > UnicodeCategory.OtherNumber => Kind.Other, // what comes before are letters, marks and numbers
            _ when IsHangul(rune.Value) => Kind.Hangul,
            _ when IsWithoutSpaces(rune.Value) => Kind.WithoutSpaces,
            _ => Kind.Word,
        };
    }

    private static bool IsHangul(int code) =>
        code is (>= 0x1100 and <= 0x11FF) or (>= 0x3130 and <= 0x318F) or (>= 0xA960 and <= 0xA97F)
            or (>= 0xAC00 and <= 0xD7FF) or (>= 0xFFA0 and <= 0xFFDC);

    private static bool IsWithoutSpaces(int code)
    {
        foreach (var (first, last) in WithoutSpaces)
        {
            if (code <= last)
            {
                return code >= first;
            }
        }

        return false;
    }

    private enum Kind
    {
        /// <summary>No part of a word, or outside the text.</summary>
        Other,
        Word,
        WithoutSpaces,
        Hangul,
    }
}
