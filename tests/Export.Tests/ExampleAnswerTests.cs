using System.Text;
using CsCheck;
using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Export.Tests;

/// <summary>One answer to a text: nothing twice, in the order of the text, and no relationship that could mean two things.</summary>
public sealed class ExampleAnswerTests
{
    [Fact]
    public void Entities_of_one_type_and_name_are_one_with_all_that_is_known_of_it()
    {
        var (example, counts) = ExampleAnswer.Of(
            "The Ledger books. Kafka carries.",
            [
                Entity("LEDGER", "system", "Short.", null, """{"a":1,"b":1}"""), Entity("Kafka"),
                Entity("Ledger", "System", "It books.", "SYS-1", """{"b":2,"c":2}"""),
                Entity(" Led\u200Bger", "System"), Entity("ledger\n", "System", "It books and keeps.", "SYS-2"),
            ],
            []);

        Assert.Equal(["Ledger", "Kafka", " Led\u200Bger"], example.Entities.Select(each => each.Name));
        var ledger = example.Entities[0];
        Assert.Equal(("System", "It books and keeps.", "SYS-1"), (ledger.Type, ledger.Description, ledger.BusinessKey));
        Assert.Equal("""{"a":1,"b":2,"c":2}""", Encoding.UTF8.GetString(ledger.PropertiesJson.Span));
        Assert.Equal(new AnswerCounts(2, 0, 0, 0, NotInText: 1), counts);
    }

    [Fact]
    public void Names_in_another_Unicode_form_are_equal() => Assert.Equal(
        ["K\u00E9ops"],
        ExampleAnswer.Of("K\u00E9ops", [Entity("Ke\u0301ops"), Entity("K\u00E9ops"), Entity("KE\u0301OPS")], [])
            .Example.Entities.Select(each => each.Name));

    [Fact]
    public void Relationships_follow_their_entity_into_the_merged_one()
    {
        var (one, other, kafka) = (Entity("Ledger"), Entity("ledger"), Entity("Kafka"));

        var (example, counts) = ExampleAnswer.Of(
            "The Ledger and Kafka.", [one, other, kafka],
            [
                new(one.Id, kafka.Id, "USES", "It does."), new(other.Id, kafka.Id, "USES", "It really does."),
                new(one.Id, other.Id, "PART_OF", null), new(kafka.Id, kafka.Id, "USES", null), new(other.Id, kafka.Id, "OWNS", null),
            ]);

        Assert.Equal(
            [
                new ExampleRelationship("Ledger", "Kafka", "OWNS", null),
                new ExampleRelationship("Ledger", "Kafka", "USES", "It really does."),
            ],
            example.Relationships);
        Assert.Equal(new AnswerCounts(1, 1, ToItself: 2, 0, 0), counts);
    }

    [Fact]
    public void Only_where_a_name_has_two_types_a_relationship_says_which()
    {
        var (system, ability, billing) = (Entity("Ledger"), Entity("ledger", "Capability"), Entity("Billing"));

        var (example, counts) = ExampleAnswer.Of(
            "The Ledger supports the ledger and Billing.", [billing, ability, system],
            [new(system.Id, ability.Id, "SUPPORTS", null), new(billing.Id, ability.Id, "PART_OF", null)]);

        Assert.Equal(
            [
                new ExampleRelationship("Ledger", "ledger", "SUPPORTS", null, "System", "Capability"),
                new ExampleRelationship("Billing", "ledger", "PART_OF", null, null, "Capability"),
            ],
            example.Relationships);
        Assert.Equal(default, counts);
    }

    [Fact]
    public void The_answer_is_resolved_to_the_entities_that_it_was_made_of() => Gen.Select(
        Gen.Select(One("A", "a", "B", "b ", "C"), One("T", "t", "U")).Array[1, 6],
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, 5], One("R", "S")).Array[0, 8],
        (named, links) =>
        {
            AnswerEntity[] entities = [.. named.Select(each => Entity(each.Item1, each.Item2))];
            return (entities, links.Select(each => new AnswerRelationship(
                entities[each.Item1 % entities.Length].Id, entities[each.Item2 % entities.Length].Id, each.Item3, null)).ToArray());
        }).Sample((entities, relationships) =>
        {
            var (example, counts) = ExampleAnswer.Of("B a C", entities, relationships);
            var writer = new ExampleWriter();
            writer.Write(ExtractionPrompt.For(ExtractionTypes.None), example);
            Assert.True(AnswerParser.TryParse(Encoding.UTF8.GetString(writer.Answer.Span), out var content, out var problem), problem);

            var found = ExtractionRules.Apply(content, ExtractionTypes.None, [], "B a C", default);

            Assert.Empty(found.Dropped);
            string Key(AnswerEntity each) => $"{ComparedText.Type(each.Entity.Type)} {ComparedText.Name(each.Entity.Name)}";
            var byId = entities.ToDictionary(each => each.Id, Key);
            Assert.Equal(
                relationships.Select(each => (byId[each.Source], each.Type, byId[each.Target]))
                    .Where(each => each.Item1 != each.Item3).Distinct().Order(),
                found.Relationships.Select(each => (
                    Key(new(default, example.Entities[each.Source])), each.Type, Key(new(default, example.Entities[each.Target]))))
                    .Order());
            Assert.Equal(
                relationships.Length, found.Relationships.Count + counts.ToItself + counts.RepeatedRelationships);
        });

    [Fact]
    public void What_has_no_name_is_no_other_ones_double_and_no_end()
    {
        var (one, other, ledger) = (Entity(""), Entity(" "), Entity("Ledger"));

        var (example, counts) = ExampleAnswer.Of("The Ledger.", [one, other, ledger], [new(ledger.Id, one.Id, "USES", null)]);

        Assert.Equal((3, 0), (example.Entities.Count, example.Relationships.Count));
        Assert.Equal(new AnswerCounts(0, 0, 0, Ambiguous: 1, NotInText: 2), counts);
    }

    [Theory]
    [InlineData("The Ke\u0301ops Hub feeds the Meter Hub.", "Meter Hub", "K\u00E9ops Hub")]
    [InlineData("The K\u00E9ops Hub feeds the Meter Hub.", "Meter Hub", "Ke\u0301ops Hub")]
    [InlineData("The grid\ndispatcher feeds the Meter Hub. Later.", "Meter Hub", "Grid Dispatcher")]
    [InlineData("It maintains the Meter Hub by AI.", "AI", "Meter Hub")]
    [InlineData("The ERPs feed the Meter Hub.", "Meter Hub", "ERP")]
    [InlineData("No such thing feeds the Meter Hub.", "Ledger", "Meter Hub")]
    public void The_order_is_that_of_the_text(string text, string later, string first) => Assert.Equal(
        [first, later],
        ExampleAnswer.Of(text, [Entity(later), Entity(first)], []).Example.Entities.Select(each => each.Name));

    private static AnswerEntity Entity(
        string name, string type = "System", string description = "Described.", string? key = null, string properties = "{}") =>
        new(Guid.NewGuid(), new(type, name, description, key, Encoding.UTF8.GetBytes(properties)));

    private static Gen<string> One(params string[] of) => Gen.Int[0, of.Length - 1].Select(i => of[i]);
}
