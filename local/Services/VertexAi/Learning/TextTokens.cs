using System.Globalization;

namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>A document cut into words, numbers and marks.</summary>
internal sealed class TextTokens
{
    private readonly List<(int Start, int End)> _spans = [];

    public TextTokens(string text)
    {
        Text = text;
        for (var i = 0; i < text.Length;)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
                continue;
            }

            var end = EndOfToken(text, i);
            _spans.Add((i, end));
            i = end;
        }

        Words = [.. _spans.Select(span => text[span.Start..span.End])];
        Lower = [.. Words.Select(word => word.ToLowerInvariant())];
        Shapes = [.. Words.Select(Feature.Shape)];
        Sentences = new int[Words.Count];
        for (var i = 1; i < Words.Count; i++)
        {
            Sentences[i] = Sentences[i - 1] + (IsBreak(i) ? 1 : 0);
        }
    }

    public string Text { get; }

    public IReadOnlyList<string> Words { get; }

    public IReadOnlyList<string> Lower { get; }

    public IReadOnlyList<string> Shapes { get; }

    /// <summary>For each token the number of its sentence.</summary>
    public int[] Sentences { get; }

    public int Count => Words.Count;

    public bool StartsSentence(int token) => token == 0 || Sentences[token] != Sentences[token - 1];

    /// <param name="last">Inclusive.</param>
    public string Span(int first, int last) => Text[_spans[first].Start.._spans[last].End];

    /// <summary>The whole sentence around a token, on one line.</summary>
    public string SentenceAround(int token)
    {
        var (first, last) = (token, token);
        while (first > 0 && Sentences[first - 1] == Sentences[token])
        {
            first--;
        }

        while (last + 1 < Count && Sentences[last + 1] == Sentences[token])
        {
            last++;
        }

        return Span(first, last).ReplaceLineEndings(" ");
    }

    private bool IsBreak(int token)
    {
        var gap = Text.AsSpan(_spans[token - 1].End, _spans[token].Start - _spans[token - 1].End);
        if (gap.Contains('\n'))
        {
            return true;
        }

        // "J. Smith" goes on; so does "approx. 5".
        return Words[token - 1] is "." or "!" or "?" && gap.Length > 0
            && (token < 2 || Words[token - 2].Length > 1) && !char.IsLower(Words[token][0]);
    }

    /// <summary>Words keep their digits (H2O), numbers their points (0.95); "100mL" is two tokens.</summary>
    private static int EndOfToken(string text, int start)
    {
        var end = start + 1;
        if (char.IsDigit(text[start]))
        {
            while (end < text.Length && (char.IsDigit(text[end])
                || (text[end] is '.' or ',' && end + 1 < text.Length && char.IsDigit(text[end + 1]))))
            {
                end++;
            }

            return end;
        }

        if (!IsPartOfWord(text[start]))
        {
            return end < text.Length && char.IsSurrogatePair(text[start], text[end]) ? end + 1 : end;
        }

        while (end < text.Length && (IsPartOfWord(text[end]) || char.IsDigit(text[end])))
        {
            end++;
        }

        return end;
    }

    private static bool IsPartOfWord(char c) => char.IsLetter(c)
        || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
