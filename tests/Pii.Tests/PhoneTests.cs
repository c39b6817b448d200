namespace FeedbackLoop.Pii.Tests;

public sealed class PhoneTests
{
    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData("call 12.34567890 times")]
    [InlineData("mobile 52.520008 13.404954")]
    [InlineData("cell 10 20 30 40 50 60")]
    [InlineData("phone sales of 12345678 euros")]
    [InlineData("phone sales: $12345678")]
    [InlineData("call 2024-01-15")]
    [InlineData("call 1999-2001")]
    [InlineData("call 20240115")]
    [InlineData("reach 12 345 678 in 2030")]
    [InlineData("phone A1-12345678-B")]
    [InlineData("x+4930123456")]
    public void A_word_does_not_make_every_number_a_telephone_number(string text) => Assert.Empty(Scanner.Find(text));

    [Theory]
    [InlineData("+49 30 1234567 (24 h)", "+49 30 1234567")]
    [InlineData("(+49) 30 1234567", "(+49) 30 1234567")]
    [InlineData("call (212) 555-0123x45", "(212) 555-0123")]
    [InlineData("+44 (0)20 7946 0958, 2nd floor", "+44 (0)20 7946 0958")]
    [InlineData("call 212-555-0123 12 times", "212-555-0123")]
    [InlineData("42,212-555-0123,7", "212-555-0123")]
    [InlineData("tel:%2B4930123456&x", "%2B4930123456")]
    [InlineData("On 12.05.2020 call 030 123456", "030 123456")]
    [InlineData("+49 7 (+44 20 7946 0958)", "+44 20 7946 0958")]
    public void A_number_ends_where_its_digits_end(string text, string number)
    {
        var match = Assert.Single(Scanner.Find(text));

        Assert.Equal((PiiKind.Phone, number), (match.Kind, text[match.Start..match.End]));
    }

    [Theory]
    [InlineData("+49 30 1234567 / +49 30 7654321")]
    [InlineData("(212) 555-0123 or 415-555-0199")]
    [InlineData("Tel. 030/123456, Fax 030/123457")]
    [InlineData("01 40 20 50 50\n06 12 34 56 78")]
    public void Two_numbers_are_two(string text) => Assert.Equal(2, Scanner.Find(text).Count);
}
