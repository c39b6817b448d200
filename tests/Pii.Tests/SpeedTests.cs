namespace FeedbackLoop.Pii.Tests;

[CollectionDefinition(nameof(SpeedTests), DisableParallelization = true)]
public sealed class SpeedTestsRunAlone;

/// <summary>
/// Texts that were made to be slow. What counts is the processor time of this program, which others do not change, and how it
/// grows: a text of eight times the length takes eight times as much, and sixty-four times as much by a quadratic step.
/// </summary>
[Collection(nameof(SpeedTests))]
public sealed class SpeedTests
{
    private const int Short = 25_000;
    private const int Long = 8 * Short;
    private const int MostGrowth = 24;

    // A quadratic step needs ten times as much for the long text.
    private static readonly TimeSpan Negligible = TimeSpan.FromSeconds(0.5);

    private static readonly PiiScanner Scanner = new();

    [Theory]
    [InlineData("a")]
    [InlineData("1234567890")]
    [InlineData("1.")]
    [InlineData("a@")]
    [InlineData("a.")]
    [InlineData("%40")]
    [InlineData(":")]
    [InlineData("1:")]
    [InlineData("1 ")]
    [InlineData("1-")]
    [InlineData("4111 1111 1111 1112 ")]
    [InlineData("212 155 1234, ")]
    [InlineData("(0999) 9999999, ")]
    [InlineData("+49 1 1 1 1 1 1 1 1, ")]
    [InlineData("phone 123 45 67 ")]
    [InlineData("phone 12345678 ")]
    [InlineData("GB82 ")]
    [InlineData("GB82 WEST 1234 5698 7654 33 ")]
    [InlineData("1\u200B")]
    [InlineData("\u200B")]
    [InlineData("a@b.co4111111111111111 ")]
    [InlineData("10.0.0.1.")]
    [InlineData("://")]
    [InlineData("a://b:")]
    [InlineData("a://b:c@")]
    [InlineData("\"@")]
    [InlineData("用@")]
    [InlineData("a@b_")]
    [InlineData("a@b.co:")]
    [InlineData("&#64;")]
    [InlineData("&")]
    [InlineData("[EMAIL_1]")]
    public void A_long_text_of_one_pattern_takes_no_longer_than_its_length_allows(string pattern)
    {
        Use(pattern, Short); // by now it is compiled

        var used = Use(pattern, Long);

        Assert.True(
            used < Negligible || used < MostGrowth * Use(pattern, Short), $"{used} of the processor for {Long} characters");
    }

    private static TimeSpan Use(string pattern, int length)
    {
        var text = string.Concat(Enumerable.Repeat(pattern, length / pattern.Length));
        var before = Environment.CpuUsage.TotalTime;
        Scanner.Redact(text);
        return Environment.CpuUsage.TotalTime - before;
    }
}
