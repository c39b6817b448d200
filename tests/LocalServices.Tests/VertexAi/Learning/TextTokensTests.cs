using CsCheck;

namespace FeedbackLoop.Local.VertexAi.Learning;

public sealed class TextTokensTests
{
    [Theory]
    [InlineData("0.95 mol of H2O", new[] { "0.95", "mol", "of", "H2O" })]
    [InlineData("100mL (28%)", new[] { "100", "mL", "(", "28", "%", ")" })]
    [InlineData("press-formed.", new[] { "press", "-", "formed", "." })]
    [InlineData("Mediaș 서울", new[] { "Mediaș", "서울" })]
    public void Words_numbers_and_marks_are_tokens(string text, string[] words) =>
        Assert.Equal(words, new TextTokens(text).Words);

    [Fact]
    public void Nothing_but_white_space_gets_lost() =>
        Gen.String.Sample(text =>
            string.Concat(new TextTokens(text).Words) == string.Concat(text.Where(c => !char.IsWhiteSpace(c))));

    [Fact]
    public void A_sentence_ends_at_a_full_stop_but_not_at_an_initial()
    {
        var tokens = new TextTokens("J. Smith came. He left approx. 5 bags.\nDone");

        Assert.Equal("J. Smith came.", tokens.SentenceAround(0));
        Assert.Equal("Done", tokens.SentenceAround(tokens.Count - 1));
        Assert.True(tokens.StartsSentence(5));
    }
}
