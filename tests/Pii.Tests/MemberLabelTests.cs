namespace FeedbackLoop.Pii.Tests;

/// <summary>What the name of a member says of its value.</summary>
public sealed class MemberLabelTests
{
    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData("phone", "2127365000", PiiKind.Phone)]
    [InlineData("phoneNumber", "2127365000", PiiKind.Phone)]
    [InlineData("phone_number", "2127365000", PiiKind.Phone)]
    [InlineData("Phone No.", "2127365000", PiiKind.Phone)]
    [InlineData("phone2", "2127365000", PiiKind.Phone)]
    [InlineData("workPhone", "2127365000", PiiKind.Phone)]
    [InlineData("PHONE", "493090182000", PiiKind.Phone)]
    [InlineData("mobile", "9876543210", PiiKind.Phone)]
    [InlineData("fax", "2127365000", PiiKind.Phone)]
    [InlineData("tel", "2127365000", PiiKind.Phone)]
    [InlineData("ssn", "536221234", PiiKind.UsSocialSecurityNumber)]
    [InlineData("employeeSSN", "536221234", PiiKind.UsSocialSecurityNumber)]
    [InlineData("socialSecurityNumber", "536221234", PiiKind.UsSocialSecurityNumber)]
    [InlineData("SSNNumber", "536221234", PiiKind.UsSocialSecurityNumber)]
    [InlineData("card", "3509123409824711", PiiKind.PaymentCard)]
    [InlineData("creditCard", "3509123409824711", PiiKind.PaymentCard)]
    [InlineData("iban", "DE89370400440532013000", PiiKind.Iban)]
    public void A_member_says_what_its_value_is(string name, string value, PiiKind kind)
    {
        Assert.Equal(kind == PiiKind.Iban, Scanner.ContainsAny(value));
        Assert.Equal([new PiiMatch(kind, 0, value.Length)], Scanner.Find(value, new MemberLabel(null, name)));
        Assert.True(Scanner.ContainsAny(value, new MemberLabel(null, name)));
    }

    [Theory]
    [InlineData("id", "2127365000")]
    [InlineData("calls", "12345678")]
    [InlineData("mobileUsers", "52000000")]
    [InlineData("phoneSales", "12345678")]
    [InlineData("version", "4.8.1.2")]
    [InlineData("orderNumber", "4111111111111111")]
    [InlineData("xyzphonetic", "2127365000")]
    [InlineData("[PHONE_1]", "2127365000")]
    public void Or_that_it_is_something_else(string name, string value) =>
        Assert.Empty(Scanner.Find(value, new MemberLabel(null, name)));

    [Fact]
    public void The_members_around_count_too_and_the_nearest_most()
    {
        var phone = new MemberLabel(null, "phone");

        Assert.True(Scanner.ContainsAny("2127365000", new MemberLabel(phone, "work")));
        Assert.True(Scanner.ContainsAny("2127365000", new MemberLabel(new MemberLabel(phone, "work"), "value")));
        Assert.False(Scanner.ContainsAny("2127365000", new MemberLabel(phone, "id")));
        Assert.False(Scanner.ContainsAny("2127365000", new MemberLabel(phone, "count")));
    }

    [Fact]
    public void Offsets_are_those_of_the_value() => Assert.Equal(
        [new PiiMatch(PiiKind.Phone, 7, 10)], Scanner.Find("office 2127365000 x", new MemberLabel(null, "phone")));
}
