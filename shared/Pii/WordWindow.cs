namespace FeedbackLoop.Pii;

/// <summary>
/// Words around a match, as whole words: 8 back and 4 forward, and no further than a line or two of text. A word has
/// letters only; numbers and placeholders between do not count, so a list of numbers keeps the word at its head.
/// </summary>
internal static class WordWindow
{
    public const int WordsBack = 8;
    public const int WordsForward = 4;

    /// <summary>What <see cref="DistanceBack"/> answers when no word of the set stands in the window.</summary>
    public const int Absent = int.MaxValue;

    private const int CharactersBack = 120;
    private const int CharactersForward = 60;

    /// <summary>Whether a word of the set stands in the window before or after the range.</summary>
    public static bool Has(ReadOnlySpan<char> text, int start, int end, WordSet words) =>
        DistanceBack(text, start, words) != Absent || HasForward(text, end, words);

    /// <summary>How many words before the range the nearest word of the set stands; 1 is the word beside it.</summary>
    /// <param name="between">When given: the only words that may stand between.</param>
    public static int DistanceBack(ReadOnlySpan<char> text, int start, WordSet words, int limit = WordsBack,
    WordSet? between = null)
    {
        var stop = Math.Max(0, start - CharactersBack);
        var position = start;
        var followingEnd = -1;
        for (var distance = 1; distance <= limit;)
        {
            while (position > stop && !char.IsLetter(text[position - 1]))
            {
                position--;
            }

            var end = position;
            while (position > stop && char.IsLetter(text[position - 1]))
            {
                position--;
            }

            // A word cut by the window's edge is not a whole word.
            if (position == end || (position == stop && stop > 0))
            {
                return Absent;
            }

            if (IsNoWord(text, position, end))
            {
                followingEnd = -1;
                continue;
            }

            if (words.Contains(text[position..end])
                || (followingEnd > 0 && words.Contains(text[position..followingEnd])))
            {
                return distance;
            }

            if (between is not null && !between.Contains(text[position..end]))
            {
                return Absent;
            }

            followingEnd = end;
            distance++;
        }

        return Absent;
    }

    /// <summary>Distance of a word that says the number is an order's, a part's, a patent's.</summary>
    public static int DistanceOfThing(ReadOnlySpan<char> text, int start) =>
        DistanceBack(text, start, ContextWords.ThingNumber, limit: 4, ContextWords.Between);

    public static bool HasForward(ReadOnlySpan<char> text, int end, WordSet words)
    {
        var stop = Math.Min(text.Length, end + CharactersForward);
        var position = end;
        var previousStart = -1;
        for (var distance = 1; distance <= WordsForward;)
        {
            while (position < stop && !char.IsLetter(text[position]))
            {
                position++;
            }

            var start = position;
            while (position < stop && char.IsLetter(text[position]))
            {
                position++;
            }

            if (position == start || (position == stop && stop < text.Length))
            {
                return false;
            }

            if (IsNoWord(text, start, position))
            {
                previousStart = -1;
                continue;
            }

            if (words.Contains(text[start..position])
                || (previousStart >= 0 && words.Contains(text[previousStart..position])))
            {
                return true;
            }

            previousStart = start;
            distance++;
        }

        return false;
    }

    // Letters between digits are a piece of an identifier: the "cc" of "4cc4" says nothing.
    private static bool IsNoWord(ReadOnlySpan<char> text, int start, int end) =>
        Placeholders.IsWordOfOne(text, start, end)
        || (start > 0 && char.IsAsciiDigit(text[start - 1]))
        || (end < text.Length && char.IsAsciiDigit(text[end]));
}
