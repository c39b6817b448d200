using FeedbackLoop.Extraction;

namespace FeedbackLoop.Extract.Tests;

public sealed class ExtractionTypesTests
{
    private static readonly ExtractionTypes Types = new(
        [new("Socie\u0301te\u0301 ", "", []), new("Data\n Store", "", [])], [new(" PART_OF", "", [])]);

    [Fact]
    public void A_prompt_shows_the_form_that_is_compared() => Assert.Contains(
        "Entity types:\n- Soci\u00E9t\u00E9\n- Data Store\n\nRelationship types:\n- PART_OF\n",
        ExtractionPrompt.For(Types).System,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("data store", "Data Store")]
    [InlineData("DATA\tSTORE ", "Data Store")]
    [InlineData("soci\u00E9t\u00E9", "Soci\u00E9t\u00E9")]
    [InlineData("data_store", "data_store")]
    [InlineData("Another\n one", "Another one")]
    public void A_type_is_spelled_as_the_project_spells_it(string type, string spelled) => Assert.Equal(spelled, Types.Entity(type));

    [Fact]
    public void A_project_takes_its_own_types_in_any_spelling_and_any_type_when_it_has_none()
    {
        Assert.True(Types.HasEntity("SOCIÉTÉ"));
        Assert.True(Types.HasRelationship("part_of"));
        Assert.False(Types.HasEntity("PART_OF"));
        Assert.True(ExtractionTypes.None.HasEntity("PART_OF"));
    }

    [Fact]
    public void The_template_says_when_a_relationship_names_types() =>
        Assert.Contains("\"source_type\":\"\"", ExtractionPrompt.For(ExtractionTypes.None).System, StringComparison.Ordinal);
}
