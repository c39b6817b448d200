namespace FeedbackLoop.Pii.Tests;

public sealed class PiiScannerTests
{
    private static readonly PiiScanner Scanner = new();

    [Fact]
    public void Each_match_becomes_the_placeholder_of_its_kind() => Assert.Equal(
        "[EMAIL]; [PHONE]; [CARD]; [SSN]; [IP]; [IBAN].",
        Scanner.Redact(
            "a@example.com; +49 30 1234567; 5105 1051 0510 5100; 536-22-1234; "
            + "10.0.0.1; GB82 WEST 1234 5698 7654 32."));

    [Fact]
    public void Offsets_are_those_of_the_original_text()
    {
        const string Text = "😀é\u200B 5\u200B36\u00AD-22\u2011\uFF11\uFF12\uFF13\uFF14\u200B!";

        var match = Assert.Single(Scanner.Find(Text));

        Assert.Equal("5\u200B36\u00AD-22\u2011\uFF11\uFF12\uFF13\uFF14", Text[match.Start..match.End]);
        Assert.Equal("😀é\u200B [SSN]\u200B!", Scanner.Redact(Text));
    }

    [Fact]
    public void A_zero_width_space_between_words_of_another_script_still_separates() =>
        Assert.Equal("โทร\u200B[PHONE]", Scanner.Redact("โทร\u200B+66 2 123 4567"));

    [Fact]
    public void Digits_of_other_scripts_are_digits() => Assert.Equal("SSN [SSN]", Scanner.Redact("SSN ٥٣٦-٢٢-١٢٣٤"));

    [Fact]
    public void A_text_without_a_match_is_returned_as_it_is()
    {
        const string Text = "In 1998 prices rose by 4.5% to $1,299.00.";

        Assert.Same(Text, Scanner.Redact(Text));
        Assert.False(Scanner.ContainsAny(Text));
        Assert.Empty(Scanner.Find(Text));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("\0")]
    [InlineData("\uD83D")]
    [InlineData("@")]
    [InlineData("5")]
    [InlineData("::")]
    [InlineData("%4")]
    [InlineData("+1")]
    [InlineData("DE8")]
    [InlineData("0(")]
    public void The_smallest_texts_are_harmless(string text) => Assert.Empty(Scanner.Find(text));

    [Fact]
    public void The_regions_decide_which_numbers_need_no_country_code()
    {
        var german = new PiiScanner(["DE"]);

        Assert.True(german.ContainsAny("030 12345678"));
        Assert.True(german.ContainsAny("+1 212 555 0123"));
        Assert.False(german.ContainsAny("212-555-0123"));
        Assert.True(Scanner.ContainsAny("212-555-0123"));
    }

    [Fact]
    public void An_unknown_region_is_refused() =>
        Assert.Contains("'XX'", Assert.Throws<ArgumentException>(() => new PiiScanner(["XX"])).Message,
        StringComparison.Ordinal);

    [Fact]
    public async Task Many_threads_share_one_scanner()
    {
        var samples = HardNegatives.All(500, seed: 8).Concat(PhoneSamples.Positives(500, seed: 8)).ToArray();
        var expected = samples.Select(sample => Scanner.Redact(sample.Text)).ToArray();

        await Parallel.ForAsync(0, 8, TestContext.Current.CancellationToken, (_, _) =>
        {
            Assert.Equal(expected, samples.Select(sample => Scanner.Redact(sample.Text)));
            return ValueTask.CompletedTask;
        });
    }
}
