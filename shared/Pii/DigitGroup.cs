namespace FeedbackLoop.Pii;

/// <summary>A run of ASCII digits, as long as it goes. Offsets are those of the folded text.</summary>
internal readonly record struct DigitGroup(int Start, int End)
{
    public int Length => End - Start;

    /// <summary>Value of the digits; -1 when there are more than nine.</summary>
    public int Value(ReadOnlySpan<char> text)
    {
        if (Length > 9)
        {
            return -1;
        }

        var value = 0;
        foreach (var digit in text[Start..End])
        {
            value = (value * 10) + (digit - '0');
        }

        return value;
    }
}
