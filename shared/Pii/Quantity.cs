namespace FeedbackLoop.Pii;

/// <summary>Whether a number is an amount: money, a percentage, a measurement.</summary>
internal static class Quantity
{
    private static readonly WordSet Currency = new(
        "usd, eur, gbp, chf, jpy, cad, aud, inr, sek, pln, us$, rs, approx, ca");

    public static bool Is(ReadOnlySpan<char> text, int start, int end) =>
        HasSignBefore(text, start) || HasUnitAfter(text, end);

    private static bool HasSignBefore(ReadOnlySpan<char> text, int start)
    {
        var at = start - 1;
        if (at >= 0 && text[at] == ' ')
        {
            at--;
        }

        if (at < 0)
        {
            return false;
        }

        return text[at] is '$' or '€' or '£' or '¥' or '₹' or '±' or '~' or '≈' or '×' or '^'
            || WordWindow.DistanceBack(text, start, Currency, limit: 1) == 1;
    }

    private static bool HasUnitAfter(ReadOnlySpan<char> text, int end)
    {
        var at = end;
        if (at < text.Length && text[at] == ' ')
        {
            at++;
        }

        if (at >= text.Length)
        {
            return false;
        }

        if (text[at] is '%' or '‰' or '°' or '€' or '$' or '£' or '±' or '×' or '′' or '″' or 'µ' or 'μ' or 'Ω' or '℃')
        {
            return true;
        }

        var wordEnd = at;
        while (wordEnd < text.Length && wordEnd < at + 12 && char.IsLetter(text[wordEnd]))
        {
            wordEnd++;
        }

        return ContextWords.Unit.Contains(text[at..wordEnd]);
    }
}
