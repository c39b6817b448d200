namespace FeedbackLoop.Pii.Tests;

internal static class CardSamples
{
    /// <summary>First digits and length of cards that a range alone gives away.</summary>
    private static readonly (string Prefix, int Length)[] Strong =
    [
        ("4", 16), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2345", 16), ("2720", 16), ("34", 15), ("37", 15),
        ("6011", 16), ("65", 16), ("644", 16), ("62", 16), ("62", 19), ("3528", 16), ("3589", 16), ("36", 14), ("305",
        14),
        ("5018", 16), ("6304", 18), ("2202", 16), ("9792", 16),
    ];

    /// <summary>Cards that need a word.</summary>
    private static readonly (string Prefix, int Length)[] Weak = [("5018", 12), ("6759", 13), ("4", 13), ("3509", 16),
    ("1", 15)];

    public static IEnumerable<Sample> Positives(int count, int seed)
    {
        var dice = new Dice(seed);
        for (var i = 0; i < count; i++)
        {
            var isWeak = dice.OneIn(6);
            var (prefix, length) = dice.Pick(isWeak ? Weak : Strong);
            var value = Disguise.Any(dice, Print(dice, Number(dice, prefix, length)));
            var frame = isWeak || dice.OneIn(2)
                ? Frames.With(
                    dice,
                    "Card number {0}, exp 12/27", "my cc is {0} ok?", "Kreditkarte: {0}",
                    "Kartennummer {0} gültig bis 08/26",
                    "carte bancaire n° {0}", "Tarjeta {0}", "{{\"card\":\"{0}\"}}", "?card={0}&cvv=123",
                    "Please charge {0} (Visa) today", "<b>credit card</b> {0}", "Número de tarjeta: {0}.")
                : Frames.Any(dice);
            yield return Sample.Positive(PiiKind.PaymentCard, frame, value);
        }
    }

    /// <summary>A number with a valid check digit.</summary>
    public static string Number(Dice dice, string prefix, int length)
    {
        var body = prefix + dice.Digits(length - prefix.Length - 1);
        var sum = 0;
        for (var i = 0; i < body.Length; i++)
        {
            var digit = body[body.Length - 1 - i] - '0';
            sum += i % 2 == 0 ? (digit * 2 / 10) + (digit * 2 % 10) : digit;
        }

        return body + ((10 - (sum % 10)) % 10);
    }

    private static string Print(Dice dice, string number) => number.Length switch
    {
        16 or 19 => dice.Between(0, 5) switch
        {
            0 => Grouped(number, "-", 4, 4, 4, 4, 3),
            1 => Grouped(number, ".", 4, 4, 4, 4, 3),
            2 or 3 => Grouped(number, " ", 4, 4, 4, 4, 3),
            4 => Grouped(number, " ", 4, 4, 4, 4, 3).Insert(9, "\n"),
            _ => number,
        },
        15 => dice.OneIn(2) ? number : Grouped(number, dice.Pick(" ", "-"), 4, 6, 5),
        14 => dice.OneIn(2) ? number : Grouped(number, dice.Pick(" ", "-"), 4, 6, 4),
        _ => number,
    };

    private static string Grouped(string number, string sign, params int[] lengths)
    {
        var groups = new List<string>();
        foreach (var length in lengths.Where(_ => number.Length > 0))
        {
            groups.Add(number[..Math.Min(length, number.Length)]);
            number = number[Math.Min(length, number.Length)..];
        }

        return string.Join(sign, groups);
    }
}
