using System.Collections.Frozen;

namespace FeedbackLoop.Pii;

/// <summary>Words and two-word phrases (one space), compared without case.</summary>
internal sealed class WordSet
{
    private readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> _words;

    /// <param name="words">Separated by commas; line breaks and spaces around a word do not matter.</param>
    public WordSet(string words) => _words = words
        .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase)
        .GetAlternateLookup<ReadOnlySpan<char>>();

    public bool Contains(ReadOnlySpan<char> word) => _words.Contains(word);
}
