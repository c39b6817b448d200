using System.Globalization;

namespace FeedbackLoop.Pii.Tests;

/// <summary>Texts with numbers and signs that look like personal data and are not.</summary>
internal static class HardNegatives
{
    private static readonly Func<Dice, string>[] Makers =
    [
        NegativesOfThings.OrderNumber, NegativesOfThings.Ticket, NegativesOfThings.PartNumber, NegativesOfThings.Isbn,
        NegativesOfThings.BarCode, NegativesOfThings.Uuid, NegativesOfThings.Hash, NegativesOfThings.Imei,
        NegativesOfThings.Licence, NegativesOfThings.Reference, NegativesOfThings.Doi, NegativesOfThings.Version,
        NegativesOfThings.Section, NegativesOfThings.Hardware, NegativesOfThings.CodeWithAtSign,
        NegativesOfThings.Address,
        NegativesOfNumbers.IsoTimestamp, NegativesOfNumbers.Date, NegativesOfNumbers.YearRange,
        NegativesOfNumbers.Epoch,
        NegativesOfNumbers.Coordinates, NegativesOfNumbers.Price, NegativesOfNumbers.LabFigure,
        NegativesOfNumbers.TableRow,
        NegativesOfNumbers.Population, NegativesOfNumbers.Score, NegativesOfNumbers.BigCount, NegativesOfNumbers.Ratio,
        NegativesOfFailedChecks.Card, NegativesOfFailedChecks.Iban, NegativesOfFailedChecks.SocialSecurity,
        NegativesOfFailedChecks.Address, NegativesOfFailedChecks.Email,
    ];

    /// <summary>The kinds in turn.</summary>
    public static IEnumerable<Sample> All(int count, int seed)
    {
        var dice = new Dice(seed);
        for (var i = 0; i < count; i++)
        {
            yield return Sample.Negative(Makers[i % Makers.Length](dice));
        }
    }

    public static string Text(IFormattable value, string format) => value.ToString(format,
    CultureInfo.InvariantCulture);
}
