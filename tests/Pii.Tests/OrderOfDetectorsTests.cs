namespace FeedbackLoop.Pii.Tests;

/// <summary>Texts that more than one detector would like.</summary>
public sealed class OrderOfDetectorsTests
{
    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData("900-12-3456")]
    [InlineData("666-12-3456 was the number")]
    [InlineData("219-09-9999")]
    [InlineData("SSN 000-12-3456")]
    [InlineData("081 00 3456")]
    public void A_number_refused_as_social_security_number_is_no_telephone_number(string text) =>
        Assert.Empty(Scanner.Find(text));

    [Theory]
    [InlineData("Tel. 081 00 3456 78")]
    [InlineData("call 900-12-3456")]
    public void Unless_a_word_says_so(string text) => Assert.Equal([PiiKind.Phone], Kinds(text));

    [Theory]
    [InlineData("SSN 536-22-1234", PiiKind.UsSocialSecurityNumber)]
    [InlineData("4111 1111 1111 1111", PiiKind.PaymentCard)]
    [InlineData("phone 4111 1111 1111 1111", PiiKind.PaymentCard)]
    [InlineData("DE89 3704 0044 0532 0130 00", PiiKind.Iban)]
    [InlineData("call 10.20.30.40", PiiKind.IpAddress)]
    [InlineData("::ffff:10.20.30.40", PiiKind.IpAddress)]
    [InlineData("0171.2345678@example.com", PiiKind.Email)]
    [InlineData("536-22-1234@example.com", PiiKind.Email)]
    public void Each_text_is_one_thing(string text, PiiKind kind) => Assert.Equal([kind], Kinds(text));

    [Fact]
    public void Different_kinds_stand_side_by_side() => Assert.Equal(
        [PiiKind.Email, PiiKind.Phone, PiiKind.PaymentCard, PiiKind.UsSocialSecurityNumber, PiiKind.IpAddress,
        PiiKind.Iban],
        Kinds("a@example.com, +49 30 1234567, 5105 1051 0510 5100, 536-22-1234, "
            + "10.0.0.1, GB82 WEST 1234 5698 7654 32"));

    [Fact]
    public void The_placeholder_of_one_number_is_no_word_for_the_next() =>
        Assert.Empty(Scanner.Find("[SSN] 536221234, [PHONE] 21255501 and [CARD] 3509000000000009"));

    private static PiiKind[] Kinds(string text) => [.. Scanner.Find(text).Select(match => match.Kind)];
}
