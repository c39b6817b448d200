namespace FeedbackLoop.Local.VertexAi.Learning;

public sealed class PromptTests
{
    [Fact]
    public void The_document_stands_between_its_two_lines() =>
        Assert.Equal("one\n\ntwo", Prompt.Document("Read:\r\n<document>\r\none\r\n\r\ntwo\r\n</document>\r\nThanks."));

    [Theory]
    [InlineData("just text"), InlineData("<document> in a line"), InlineData("</document>\n<document>\n")]
    public void Without_the_lines_everything_is_the_document(string user) =>
        Assert.Equal(user, Prompt.Document(user));

    [Fact]
    public void Types_are_the_items_under_their_headings()
    {
        var types = Prompt.Types(
            """
            You extract.
            - Not a type

            Entity types (2):
            - Person: somebody: anybody
            - Place

            - Not a type either

            Relationship types
            - lives in: Person to Place
            """);

        Assert.Equal([new("Person", "somebody: anybody"), new("Place", "")], types.Entities);
        Assert.Equal([new("lives in", "Person to Place")], types.Relationships);
    }

    [Fact]
    public void The_first_text_with_a_list_counts()
    {
        var types = Prompt.Types("no list", "Entity types\n- A", "Entity types\n- B");

        Assert.Equal(["A"], types.Entities.Select(type => type.Name));
    }
}
