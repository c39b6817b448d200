using System.Globalization;

namespace FeedbackLoop.Pii.Tests;

internal static class SocialSecuritySamples
{
    private static readonly string[] Labelled =
    [
        "SSN {0}", "SSN: {0}.", "Social Security Number: {0}", "His social security number is {0}, he said.",
        "{0} is my SSN", "{{\"ssn\":\"{0}\"}}", "<td>SSN</td><td>{0}</td>", "Sozialversicherungsnummer (USA): {0}",
        "Numéro de sécurité sociale américain : {0}", "Número de seguro social {0}", "?ssn={0}&year=1980",
    ];

    public static IEnumerable<Sample> Separated(int count, int seed)
    {
        var dice = new Dice(seed);
        for (var i = 0; i < count; i++)
        {
            var sign = dice.Pick("-", "-", "-", " ", ".");
            var frame = dice.OneIn(2) ? Frames.With(dice, Labelled) : Frames.Any(dice);
            yield return Sample.Positive(
                PiiKind.UsSocialSecurityNumber, frame, Disguise.Any(dice, string.Join(sign, Parts(dice))));
        }
    }

    public static IEnumerable<Sample> Bare(int count, int seed)
    {
        var dice = new Dice(seed);
        for (var i = 0; i < count; i++)
        {
            var value = Disguise.Any(dice, string.Concat(Parts(dice)));
            yield return Sample.Positive(PiiKind.UsSocialSecurityNumber, Frames.With(dice, Labelled), value);
        }
    }

    private static string[] Parts(Dice dice)
    {
        var area = dice.Between(1, 899);
        var isItin = dice.OneIn(20);
        return
        [
            Text(isItin ? dice.Between(900, 999) : area == 666 ? 667 : area, 3),
            Text(isItin ? dice.Between(70, 88) : dice.Between(1, 99), 2),
            Text(dice.Between(1, 9999), 4),
        ];
    }

    private static string Text(int value, int digits) => value.ToString($"D{digits}", CultureInfo.InvariantCulture);
}
