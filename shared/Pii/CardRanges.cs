namespace FeedbackLoop.Pii;

/// <summary>How far the first digits and the length alone speak for a payment card.</summary>
internal enum CardLikelihood
{
    /// <summary>No issuer is known: needs a word beside it that says so.</summary>
    Unknown,

    /// <summary>An issuer is known, and other numbers look the same (13-digit bar codes): needs a word too.</summary>
    Weak,

    /// <summary>An issuer's range and length.</summary>
    Strong,
}

/// <summary>Issuer identification ranges of payment cards. Source: public lists of IIN ranges, as of 2025.</summary>
internal static class CardRanges
{
    /// <param name="digits">12 to 19 ASCII digits.</param>
    public static CardLikelihood Judge(ReadOnlySpan<char> digits)
    {
        var length = digits.Length;
        var six = int.Parse(digits[..6], System.Globalization.CultureInfo.InvariantCulture);
        var four = six / 100;
        var three = four / 10;
        var two = three / 10;

        return (two, length) switch
        {
            // Visa. Thirteen digits are history, and four is also the start of German bar codes.
            ( >= 40 and <= 49, 16 or 18 or 19) => CardLikelihood.Strong,
            ( >= 40 and <= 49, 13) => CardLikelihood.Weak,

            // Mastercard, both ranges.
            ( >= 51 and <= 55, 16) => CardLikelihood.Strong,
            ( >= 22 and <= 27, 16) when four is >= 2221 and <= 2720 => CardLikelihood.Strong,

            // Mir.
            (22, >= 16) when four is >= 2200 and <= 2204 => CardLikelihood.Strong,

            // American Express.
            (34 or 37, 15) => CardLikelihood.Strong,

            // Diners Club.
            (36 or 38 or 39, 14 or >= 16) => CardLikelihood.Strong,
            (30, 14 or >= 16) when three is <= 305 or 309 => CardLikelihood.Strong,

            // JCB.
            (35, >= 16) when four is >= 3528 and <= 3589 => CardLikelihood.Strong,

            // Discover, UnionPay, RuPay, InstaPayment, InterPayment, Maestro, Verve.
            (60 or 62 or 63 or 64 or 65 or 67, >= 16) => CardLikelihood.Strong,
            (50 or 56 or 57 or 58, >= 16) => CardLikelihood.Strong,
            (81 or 82, 16) => CardLikelihood.Strong,
            (50 or 56 or 57 or 58 or 60 or 61 or 63 or 66 or 67 or 68 or 69, _) => CardLikelihood.Weak,

            // Troy.
            (97, 16) when four == 9792 => CardLikelihood.Strong,

            _ => CardLikelihood.Unknown,
        };
    }
}
