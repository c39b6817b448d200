namespace FeedbackLoop.Local.VertexAi.Learning;

public sealed class ExtractionTextTests
{
    [Fact]
    public void A_relationship_of_the_second_entity_of_a_name_is_not_learnt_as_one_of_the_first()
    {
        var answer = ExtractionText.Read(
            """
            {"entities":[{"type":"Planet","name":"Mercury"},{"type":"Metal","name":"Mercury"},{"type":"Star","name":"Sun"}],
             "relationships":[{"source_name":"Mercury","source_type":"Planet","target_name":"Sun","type":"ORBITS"},
                              {"source_name":"Sun","target_name":"Mercury","target_type":"Metal","type":"MELTS"}]}
            """);

        Assert.Equal([new ExtractedRelationship("Mercury", "Sun", "ORBITS")], answer!.Relationships);
    }
}
