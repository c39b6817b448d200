namespace FeedbackLoop.Local.VertexAi.Learning;

public sealed class BaseExtractorTests
{
    private static readonly PromptTypes Types = new(
        [
            new("PER", "a person"), new("LOC", "a place"), new("ORG", ""), new("TIME", "a date"), new("NUM", ""),
            new("MISC", ""),
        ],
        []);

    [Theory]
    [InlineData("Later on Ada Lovelace spoke.", "Ada Lovelace", "PER")]
    [InlineData("She lived in London then.", "London", "LOC")]
    [InlineData("He left Oxford University Press.", "Oxford University Press", "ORG")]
    [InlineData("It was on 13 March 1963 again.", "13 March 1963", "TIME")]
    [InlineData("It was in 1998 again.", "1998", "TIME")]
    [InlineData("He had 12 of them.", "12", "NUM")]
    public void Types_are_guessed_from_what_the_prompt_says(string text, string name, string type) =>
        Assert.Contains(
            (name, type), BaseExtractor.Extract(text, Types).Entities.Select(each => (each.Name, each.Type)));

    [Fact]
    public void A_prompt_without_types_gets_nothing() =>
        Assert.Empty(BaseExtractor.Extract("Ada Lovelace spoke.", PromptTypes.Any).Entities);
}
