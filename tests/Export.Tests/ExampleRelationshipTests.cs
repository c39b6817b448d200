using System.Text;
using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Export.Tests;

/// <summary>What a verified relationship brings into an example, and what keeps it out.</summary>
public sealed class ExampleRelationshipTests
{
    private const string Text = "The Ledger uses Kafka and Redis.";

    private static readonly ExtractionTypes Types = new([new("System", "", [])], [new("USES", "", [])]);
    private static readonly ExtractedObject Ledger = ExampleRulesTests.Object("Ledger");
    private static readonly ExtractedObject Kafka = ExampleRulesTests.Object("Kafka");
    private static readonly ExtractedObject Redis = ExampleRulesTests.Object("Redis");

    [Fact]
    public void Its_description_is_taught()
    {
        var accepted = Accepted(Link(Ledger, Kafka, """{"description":"For every payment."}"""));

        Assert.Equal(
            [new ExampleRelationship("Ledger", "Kafka", "USES", "For every payment.")], accepted.Example.Relationships);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"description":""}""")]
    [InlineData("""{"description":7}""")]
    [InlineData("""{"other":"For every payment."}""")]
    public void Without_a_description_it_has_none(string properties) =>
        Assert.Null(Assert.Single(Accepted(Link(Ledger, Kafka, properties)).Example.Relationships).Description);

    [Fact]
    public void Personal_data_in_its_description_leaves_the_chunk_out()
    {
        var excluded = Assert.IsType<ExampleRules.Decision.Excluded>(
            Decide(Link(Ledger, Kafka, """{"description":"As jo.miller@example.com wished."}""")));

        Assert.Equal(ExclusionReason.Pii, excluded.Reason);
    }

    [Fact]
    public void One_that_ends_outside_is_counted_whichever_end_it_is()
    {
        var elsewhere = ExampleRulesTests.Object("Elsewhere");

        var accepted = Accepted(
            Link(elsewhere, Kafka), Link(Ledger, elsewhere), Link(elsewhere, elsewhere), Link(Ledger, Kafka));

        Assert.Single(accepted.Example.Relationships);
        Assert.Equal(3, accepted.LeftOut.OutsideExample);
    }

    [Fact]
    public void They_follow_the_order_of_their_ends_in_the_text()
    {
        var accepted = Accepted(Link(Redis, Ledger), Link(Ledger, Redis), Link(Kafka, Redis), Link(Ledger, Kafka));

        Assert.Equal(
            [("Ledger", "Kafka"), ("Ledger", "Redis"), ("Kafka", "Redis"), ("Redis", "Ledger")],
            accepted.Example.Relationships.Select(each => (each.SourceName, each.TargetName)));
    }

    private static ExampleRules.Decision Decide(params ExtractedRelationship[] relationships) => ExampleRules.Decide(
        new Candidate(
            new SourceChunk(Guid.Empty, Guid.Empty, Guid.Empty, Guid.Empty, Text), [Redis, Kafka, Ledger], relationships, 0, 0),
        new ExportCriteria(), new PiiScanner(), Types);

    private static ExampleRules.Decision.Accepted Accepted(params ExtractedRelationship[] relationships) =>
        Assert.IsType<ExampleRules.Decision.Accepted>(Decide(relationships));

    private static ExtractedRelationship Link(ExtractedObject source, ExtractedObject target, string properties = "{}") =>
        new(Guid.Empty, Guid.Empty, source.CanonicalId, target.CanonicalId, "USES", Encoding.UTF8.GetBytes(properties));
}
