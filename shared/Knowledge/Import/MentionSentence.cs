namespace FeedbackLoop.Knowledge.Import;

/// <summary>The sentence in which a text mentions something, as a description of it.</summary>
internal static class MentionSentence
{
    /// <summary>Longest sentence, in UTF-16 code units.</summary>
    public const int MaxLength = 300;

    /// <summary>A sentence that is not longer says too little; the next one is taken as well, at the end the one before.</summary>
    public const int TooShort = 20;

    /// <summary>End a sentence where white space follows: also the Urdu full stop, the Arabic question mark and the danda.</summary>
    private const string Ends = ".!?\u06D4\u061F\u0964\u0965";

    /// <summary>End a sentence whatever follows: <c>。！？｡</c>.</summary>
    private const string FullWidthEnds = "\u3002\uFF01\uFF1F\uFF61";

    private const string Closing = "\u300D\u300F\uFF09\u3011\u300B\u3009\u3015\u201D\u2019";

    /// <summary>
    /// The sentence around <paramref name="start"/> to <paramref name="end"/>, or the first one when they are absent or
    /// outside the text. Trimmed; cut around the mention when it is long; never through a surrogate pair.
    /// </summary>
    /// <param name="end">Exclusive.</param>
    public static string Find(string text, int? start, int? end)
    {
        var (from, to) = start is { } s && end is { } e && s >= 0 && s < e && e <= text.Length
            ? (s, e)
            : FirstCharacter(text);
        var sentence = (Start: StartOf(text, from), End: EndOf(text, to));
        while (text.AsSpan(sentence.Start, sentence.End - sentence.Start).Trim().Length <= TooShort
            && sentence.End - sentence.Start < Math.Min(MaxLength, text.Length))
        {
            sentence = sentence.End < text.Length
                ? (sentence.Start, EndOf(text, sentence.End + 1))
                : (StartOf(text, sentence.Start - 1), sentence.End);
        }

        var (left, right) = Cut(sentence.Start, sentence.End, from, to);
        left += IsInsidePair(text, left) ? 1 : 0;
        right -= IsInsidePair(text, right) ? 1 : 0;
        return text[left..right].Trim();
    }

    private static (int From, int To) FirstCharacter(string text)
    {
        var blank = text.Length - text.AsSpan().TrimStart().Length;
        return (blank, Math.Min(blank + 1, text.Length));
    }

    private static int StartOf(string text, int from)
    {
        while (from > 0 && !EndsBefore(text, from))
        {
            from--;
        }

        return from;
    }

    private static int EndOf(string text, int to)
    {
        while (to < text.Length && !EndsBefore(text, to))
        {
            to++;
        }

        return to;
    }

    // A point inside a number or a name ("3.5", "node.js") has no blank behind it and ends nothing. Chinese and Japanese write
    // none behind theirs; a closing quotation mark or bracket belongs to the sentence that it closes.
    private static bool EndsBefore(string text, int index)
    {
        var last = index - 1;
        while (last > 0 && Closing.Contains(text[last]))
        {
            last--;
        }

        return text[index - 1] == '\n'
            || (FullWidthEnds.Contains(text[last])
                && (index == text.Length || !(FullWidthEnds.Contains(text[index]) || Closing.Contains(text[index]))))
            || (Ends.Contains(text[index - 1]) && (index == text.Length || char.IsWhiteSpace(text[index])));
    }

    // Half of what is left goes before the mention, so that it does not stand at the edge.
    private static (int Left, int Right) Cut(int start, int end, int from, int to)
    {
        if (end - start <= MaxLength)
        {
            return (start, end);
        }

        var before = Math.Max(0, (MaxLength - (to - from)) / 2);
        var left = Math.Clamp(from - before, start, end - MaxLength);
        return (left, left + MaxLength);
    }

    private static bool IsInsidePair(string text, int index) =>
        index > 0 && index < text.Length && char.IsSurrogatePair(text[index - 1], text[index]);
}
