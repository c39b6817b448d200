using System.Diagnostics;

namespace FeedbackLoop.Pii.Tests;

[CollectionDefinition(nameof(SpeedTests), DisableParallelization = true)]
public sealed class SpeedTestsRunAlone;

/// <summary>Texts that were made to be slow. A scanner with a quadratic step needs minutes for them.</summary>
[Collection(nameof(SpeedTests))]
public sealed class SpeedTests
{
    private const int Length = 100_000;
    private const double SecondsPerText = 2;

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
        var text = string.Concat(Enumerable.Repeat(pattern, Length / pattern.Length));
        var start = Stopwatch.GetTimestamp();

        Scanner.Redact(text);

        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, SecondsPerText);
    }
}
