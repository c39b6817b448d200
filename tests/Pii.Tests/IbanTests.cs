using CsCheck;

namespace FeedbackLoop.Pii.Tests;

public sealed class IbanTests
{
    private static readonly PiiScanner Scanner = new();

    [Fact]
    public void Every_change_of_one_digit_is_noticed() => Gen.Int.Sample(seed =>
    {
        var dice = new Dice(seed);
        var (country, form) = dice.Pick([.. IbanFormats.All.OrderBy(entry => entry.Key, StringComparer.Ordinal)]);
        var number = IbanSamples.Number(dice, country, form);
        var at = dice.Between(2, number.Length - 1);
        var changed = char.IsAsciiDigit(number[at])
            ? number[..at] + (char)('0' + ((number[at] - '0' + dice.Between(1, 9)) % 10)) + number[(at + 1)..]
            : number;
        return changed == number || Scanner.Find(changed).All(match => match.Kind != PiiKind.Iban);
    });

    [Theory]
    [InlineData("GB82WEST1234569876543 2")]
    [InlineData("GB82 WEST 1234 5698 7654 32 and 12 more")]
    [InlineData("(IBAN:GB82-WEST-1234-5698-7654-32)")]
    [InlineData("IBANGB82WEST12345698765432")]
    public void The_country_says_where_the_number_ends(string text)
    {
        var match = Assert.Single(Scanner.Find(text));

        Assert.Equal(PiiKind.Iban, match.Kind);
        Assert.EndsWith("2", text[match.Start..match.End], StringComparison.Ordinal);
        Assert.StartsWith("GB82", text[match.Start..match.End], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("too long for the country", "DE893704004405320130001")]
    [InlineData("inside a longer word", "XDE89370400440532013000")]
    [InlineData("no such country, and no word", "QQ60123456789012345678901")]
    public void What_is_not_one_is_left_alone(string why, string text) =>
        Assert.True(Scanner.Find(text).All(match => match.Kind != PiiKind.Iban), why);

    [Fact]
    public void Check_digits_do_not_make_up_for_a_digit_where_the_country_has_a_letter()
    {
        var form = IbanFormats.Find("GB")!; // registered since 2002
        var number = IbanSamples.Number(new Dice(6), "GB", form);
        var wrong = IbanSamples.Number(new Dice(6), "GB", form.Replace('a', 'n'));

        Assert.Equal(PiiKind.Iban, Assert.Single(Scanner.Find(number)).Kind);
        Assert.Empty(Scanner.Find(wrong));
    }

    [Fact]
    public void A_country_without_a_registered_form_needs_a_word()
    {
        var number = IbanSamples.Number(new Dice(5), "MA", new string('n', 24));

        Assert.Empty(Scanner.Find($"see {number}"));
        Assert.Equal(PiiKind.Iban, Assert.Single(Scanner.Find($"IBAN {number} in Rabat")).Kind);
    }
}
