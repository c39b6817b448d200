using System.Globalization;

namespace FeedbackLoop.Pii.Tests;

/// <summary>The right form and the right words, but a check that fails.</summary>
internal static class NegativesOfFailedChecks
{
    public static string Card(Dice dice)
    {
        var number = CardSamples.Number(dice, dice.Pick("4", "51", "2345", "62"), 16);
        var wrong = number[..15] + (char)('0' + ((number[15] - '0' + dice.Between(1, 9)) % 10));
        var printed = dice.OneIn(2) ? wrong : string.Join(' ', wrong.Chunk(4).Select(group => new string(group)));
        return dice.Pick("card ", "", "Kreditkarte ", "Visa: ") + printed;
    }

    public static string Iban(Dice dice)
    {
        var formats = IbanFormats.All.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToArray();
        var (country, form) = dice.Pick(formats);
        var number = IbanSamples.Number(dice, country, form);
        var check = int.Parse(number.AsSpan(2, 2), CultureInfo.InvariantCulture);
        var wrong = $"{country}{(check + dice.Between(1, 90)) % 97:D2}{number[4..]}";
        return $"{dice.Pick("IBAN ", "", "ID ")}{wrong}";
    }

    public static string SocialSecurity(Dice dice) => dice.Pick("", "", "SSN ", "number ", "(", "Nr. ") + dice.Pick(
        $"000-{dice.Between(10, 99)}-{dice.Between(1000, 9999)}",
        $"666-{dice.Between(10, 99)}-{dice.Between(1000, 9999)}",
        $"9{dice.Digits(2)}-{dice.Between(10, 49)}-{dice.Between(1000, 9999)}",
        $"{dice.Between(100, 665)}-00-{dice.Between(1000, 9999)}",
        $"{dice.Between(100, 665)}-{dice.Between(10, 99)}-0000", "078-05-1120", "219-09-9999", "123-45-6789",
        "555-55-5555", "666 12 3456", "900-12-3456");

    public static string Address(Dice dice) => dice.Pick(
        $"{dice.Between(256, 999)}.{dice.Digits(2)}.{dice.Digits(2)}.{dice.Digits(2)}",
        $"10.0.0.{dice.Between(256, 999)}", "1.2.3.4.5", "1.2.3", "10.0.0",
        "2001:db8", "12345::1", "g::1", "1:2:3:4:5:6:7", "fe80:1:2:3:4:5:6:7:8", "1..2.3.4",
        $"192.168.1.{dice.Between(1, 9)}a", $"x10.0.0.{dice.Between(1, 9)}");

    public static string Email(Dice dice) => dice.Pick(
        $"{dice.Letters(70).ToLowerInvariant()}@example.com", "jane@example", "jane@@", "jane.@example.com",
        "@example.com", "jane @example.com", "jane@ example.com",
        "jane@example.c", "jane@.example.com", "jane@-", "jane[at]example", $"jane@{dice.Digits(3)}", "100%@home", "@");
}
