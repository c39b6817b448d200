namespace FeedbackLoop.Pii.Tests;

internal static class IbanSamples
{
    public static IEnumerable<Sample> Positives(int count, int seed)
    {
        var dice = new Dice(seed);
        var formats = IbanFormats.All.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToArray();
        for (var i = 0; i < count; i++)
        {
            var (country, form) = formats[i % formats.Length];
            var compact = Number(dice, country, form);
            var value = Disguise.Any(dice, dice.Between(0, 4) switch
            {
                0 => compact,
                1 => string.Join('-', compact.Chunk(4).Select(group => new string(group))),
                2 => compact.ToLowerInvariant(),
                _ => string.Join(' ', compact.Chunk(4).Select(group => new string(group))),
            });
            var frame = dice.OneIn(2)
                ? Frames.With(
                    dice,
                    "IBAN: {0}", "Bitte überweisen Sie auf {0} und nennen Sie das Jahr 2021.", "compte {0}",
                    "Transfer 1,200.00 to {0} by 5 May.", "Cuenta: {0}; gracias", "iban={0}&bic=DEUTDEFF",
                    "BIC/IBAN {0}")
                : Frames.Any(dice);
            yield return Sample.Positive(PiiKind.Iban, frame, value);
        }
    }

    /// <summary>An account number of the form with the check digits that belong to it.</summary>
    public static string Number(Dice dice, string country, string form)
    {
        // At least ten digits: accounts of letters alone do not exist, though the registry's form would allow them.
        var account = string.Concat(form.Select((kind, i) => kind switch
        {
            'n' => dice.Digits(1),
            'a' => dice.Letters(1),
            _ => i % 5 == 4 ? dice.Letters(1) : dice.Digits(1),
        }));
        var remainder = 0;
        foreach (var c in account + country + "00")
        {
            remainder = char.IsAsciiDigit(c)
                ? ((remainder * 10) + c - '0') % 97
                : ((remainder * 100) + c - 'A' + 10) % 97;
        }

        return $"{country}{98 - remainder:D2}{account}";
    }
}
