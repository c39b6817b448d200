using System.Text;
using FeedbackLoop.Examples;
using Microsoft.ML.Tokenizers;

namespace FeedbackLoop.Export.Tests;

public sealed class TokenCounterTests
{
    private static readonly TiktokenTokenizer Whole = TiktokenTokenizer.CreateForEncoding("o200k_base");

    [Theory]
    [InlineData("The ledger uses the vault, and nobody knows since when. ")]
    [InlineData("{\"entities\": [{\"type\": \"System\", \"name\": \"Ledger\"}]} ")]
    [InlineData("Жители города помнят 日本語 слова. ")]
    public void A_long_text_has_as_many_tokens_as_in_one_piece(string sentence)
    {
        var text = string.Concat(Enumerable.Repeat(sentence, 500));

        Assert.InRange(Count(text), Whole.CountTokens(text), Whole.CountTokens(text) * 1.001);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("QmFzZTY0")]
    [InlineData("😀")]
    [InlineData("字")]
    public void A_word_without_an_end_costs_a_token_more_for_each_cut_at_most(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, 20_000 / unit.Length));

        Assert.InRange(Count(text), Whole.CountTokens(text), Whole.CountTokens(text) + (text.Length / 1_024) + 1);
    }

    [Fact]
    public void The_factor_rounds_up() => Assert.Equal(3, new TokenCounter().Count("one two"u8, 1.1));

    [Fact]
    public void Nothing_has_no_tokens() => Assert.Equal(0, new TokenCounter().Count([], 2));

    private static int Count(string text) => new TokenCounter().Count(Encoding.UTF8.GetBytes(text), 1);
}
