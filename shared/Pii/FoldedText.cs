using System.Buffers;
using System.Globalization;

namespace FeedbackLoop.Pii;

/// <summary>
/// A text as the detectors read it: any space is ' ', any dash '-', full-width characters, foreign decimal digits and
/// characters written as in HTML are ASCII, and zero-width characters are gone. Remembers where each character came from.
/// </summary>
internal ref struct FoldedText
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create([.. Enumerable.Range(0, 0x80).Select(c => (char)c).Where(c => c != '&')]);

    private readonly ReadOnlySpan<char> _original;
    private char[]? _folded;
    private int[]? _offsets;

    public FoldedText(ReadOnlySpan<char> original)
    {
        _original = original;
        Text = original;
        for (var from = 0; original[from..].IndexOfAnyExcept(Plain) is >= 0 and var skip; from++)
        {
            from += skip;
            if (original[from] != '&' || HtmlCharacter.At(original, from).Length > 0)
            {
                Fold(original, from);
                return;
            }
        }
    }

    public ReadOnlySpan<char> Text { get; private set; }

    /// <summary>UTF-16 offset in the original of the character at this index.</summary>
    public readonly int OriginalOffset(int index) => _offsets is null ? index : _offsets[index];

    /// <summary>UTF-16 offset in the original behind the character at this index.</summary>
    public readonly int OriginalEnd(int index)
    {
        var start = OriginalOffset(index);
        return start + Math.Max(
            1, _original[start] == '&' && Text[index] != '&' ? HtmlCharacter.At(_original, start).Length : 1);
    }

    public void Dispose()
    {
        Text = default;
        if (_folded is not null)
        {
            ArrayPool<char>.Shared.Return(_folded);
            _folded = null;
        }

        if (_offsets is not null)
        {
            ArrayPool<int>.Shared.Return(_offsets);
            _offsets = null;
        }
    }

    private void Fold(ReadOnlySpan<char> original, int from)
    {
        _folded = ArrayPool<char>.Shared.Rent(original.Length);
        original[..from].CopyTo(_folded);
        var length = from;
        for (var i = from; i < original.Length; i++)
        {
            var c = original[i];
            if (c == '&' && HtmlCharacter.At(original, i) is { Length: > 0 } reference)
            {
                StartOffsets(original.Length, length);
                _offsets![length] = i;
                _folded[length++] = reference.Character;
                i += reference.Length - 1;
                continue;
            }

            if (c >= '\x80')
            {
                c = FoldCharacter(c);
                if (c == '\0')
                {
                    // Inside a number a zero-width character is noise. Beside a letter of another script (Thai, an
                    // emoji) it may be all that separates two words.
                    if (JoinsAscii(original, i, length == 0 ? ' ' : _folded[length - 1]))
                    {
                        StartOffsets(original.Length, length);
                        continue;
                    }

                    c = ' ';
                }
            }

            _offsets?[length] = i;
            _folded[length++] = c;
        }

        Text = _folded.AsSpan(0, length);
    }

    private void StartOffsets(int capacity, int length)
    {
        if (_offsets is null)
        {
            _offsets = ArrayPool<int>.Shared.Rent(capacity);
            for (var i = 0; i < length; i++)
            {
                _offsets[i] = i;
            }
        }
    }

    private static bool JoinsAscii(ReadOnlySpan<char> original, int at, char before)
    {
        var next = at + 1;

        // Few zero-width characters follow each other in honest text; the bound keeps a text of nothing else linear.
        while (next < original.Length && next < at + 8 && FoldCharacter(original[next]) == '\0')
        {
            next++;
        }

        return before < '\x7f' && (next == original.Length || FoldCharacter(original[next]) is > '\0' and < '\x7f');
    }

    /// <summary>The character's plain form; '\0' for a character without width.</summary>
    private static char FoldCharacter(char c) => c switch
    {
        < '\x80' => c == '\0' ? ' ' : c,
        '\u00A0' or '\u1680' or (>= '\u2000' and <= '\u200A') or '\u202F' or '\u205F' or '\u3000' => ' ',
        '\u00AD' or (>= '\u200B' and <= '\u200F') or (>= '\u202A' and <= '\u202E') or (>= '\u2060' and <= '\u2064')
            or (>= '\u2066' and <= '\u2069') or '\uFEFF' => '\0',
        (>= '\u2010' and <= '\u2015') or '\u2212' or '\uFE58' or '\uFE63' => '-',
        >= '\uFF01' and <= '\uFF5E' => (char)(c - 0xFEE0),
        < '\u0660' => c,
        _ => CharUnicodeInfo.GetDecimalDigitValue(c) is >= 0 and var digit ? (char)('0' + digit) : c,
    };
}
