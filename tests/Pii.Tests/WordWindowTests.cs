namespace FeedbackLoop.Pii.Tests;

/// <summary>How far and how exactly a word says what a number is: nine bare digits test the word alone.</summary>
public sealed class WordWindowTests
{
    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData("SSN one two three four five six seven 536221234")]
    [InlineData("536221234 one two three SSN")]
    [InlineData("social security (2011, 2012): 536221234")]
    [InlineData("SOCIAL SECURITY: 536221234")]
    [InlineData("{\"ssn\":536221234}")]
    [InlineData("applicant_ssn=536221234")]
    public void Eight_words_back_and_four_forward_count(string text) =>
        Assert.Equal(PiiKind.UsSocialSecurityNumber, Assert.Single(Scanner.Find(text)).Kind);

    [Theory]
    [InlineData("SSN one two three four five six seven eight 536221234")]
    [InlineData("536221234 one two three four SSN")]
    [InlineData("classnames 536221234")]
    [InlineData("social 536221234 security")]
    [InlineData("a3ssn4b 536221234")]
    public void Further_words_and_parts_of_words_do_not(string text) => Assert.Empty(Scanner.Find(text));

    [Theory]
    [InlineData("order 4111111111111111", false)]
    [InlineData("order number is 4111111111111111", false)]
    [InlineData("order paid with 4111111111111111", true)]
    [InlineData("order 4111111111111111 paid by card", true)]
    [InlineData("orders were late: 4111111111111111", true)]
    public void A_word_for_a_thing_must_stand_beside_its_number(string text, bool isCard) =>
        Assert.Equal(isCard, Scanner.ContainsAny(text));

    [Theory]
    [InlineData("phone 21255501", true)]
    [InlineData("phone order 21255501", false)]
    [InlineData("order by phone 21255501", true)]
    public void The_nearest_word_decides_about_a_telephone_number(string text, bool isPhone) =>
        Assert.Equal(isPhone, Scanner.ContainsAny(text));
}
