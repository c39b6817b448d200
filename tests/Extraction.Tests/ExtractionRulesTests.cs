using FeedbackLoop.Extraction;

namespace FeedbackLoop.Extract.Tests;

public sealed class ExtractionRulesTests
{
    private const string Text = "The Ledger uses the Vault.";

    private static readonly ExtractionTypes Types = new(
        [new("System", "", []), new("Team", "", [])], [new("USES", "", [])]);

    [Fact]
    public void What_fits_is_taken_and_needs_a_person()
    {
        var found = Apply(new([Entity("Ledger"), Entity("Vault")], [new("Ledger", "Vault", "USES", "d")]));

        Assert.Equal(["Ledger", "Vault"], found.Entities.Select(each => each.Entity.Name));
        Assert.All(found.Entities, each => Assert.True(each.NeedsReview));
        Assert.Equal([new AcceptedRelationship(0, 1, "USES", "d")], found.Relationships);
        Assert.Empty(found.Dropped);
    }

    [Fact]
    public void What_does_not_fit_is_dropped_and_counted()
    {
        var found = Apply(new(
            [Entity("Ledger"), Entity("ledger"), Entity("Vault", "Building"), Entity("Vault", "Team")],
            [
                new("Ledger", "Vault", "USES", null, TargetType: "Team"), new("Ledger", "Vault", "USES", "again", null, "team"),
                new("Ledger", "Cellar", "USES", null), new("Ledger", "Ledger", "LIKES", null), new("Ledger", "LEDGER", "USES", null),
                new("Ledger", "Vault", "USES", null), new("Ledger", "Vault", "USES", null, null, "Building"),
                new("Ledger", "Vault", "USES", null, null, "System"),
            ]));

        Assert.Equal(
            [("System", "Ledger"), ("Team", "Vault")], found.Entities.Select(each => (each.Entity.Type, each.Entity.Name)));
        Assert.Single(found.Relationships);
        Assert.Equal(
            new Dictionary<string, int>
            {
                [ExtractionRules.AmbiguousRelationship] = 1,
                [ExtractionRules.RelationshipToItself] = 1,
                [ExtractionRules.RelationshipToNothing] = 3,
                [ExtractionRules.RepeatedEntity] = 1,
                [ExtractionRules.RepeatedRelationship] = 1,
                [ExtractionRules.UnknownEntityType] = 1,
                [ExtractionRules.UnknownRelationshipType] = 1,
            },
            found.Dropped);
    }

    [Fact]
    public void A_relationship_finds_its_entity_in_any_spelling_of_its_name() => Assert.Equal(
        [new AcceptedRelationship(0, 1, "USES", null)],
        Apply(new([Entity("Ledger"), Entity("ledger"), Entity("Vault")], [new("ledger", "VAULT", "USES", null)])).Relationships);

    [Fact]
    public void A_name_of_two_entities_is_resolved_by_type_and_never_by_order()
    {
        var content = new AnsweredContent(
            [Entity("Ledger"), Entity("Ledger", "Team"), Entity("Vault")],
            [
                new("Ledger", "Vault", "USES", "which?"), new("Ledger", "Vault", "USES", null, SourceType: "TEAM"),
                new("Ledger", "Ledger", "USES", null, "System", "Team"),
            ]);

        var found = Apply(content);

        Assert.Equal(
            [new AcceptedRelationship(1, 2, "USES", null), new AcceptedRelationship(0, 1, "USES", null)], found.Relationships);
        Assert.Equal(1, Assert.Single(found.Dropped, each => each.Key == ExtractionRules.AmbiguousRelationship).Value);
    }

    [Fact]
    public void A_name_of_two_entities_stays_ambiguous_when_one_of_them_is_dropped() => Assert.Empty(
        Apply(new([Entity("Ledger"), Entity("Ledger", "Team"), Entity("Vault")], [new("Ledger", "Vault", "USES", null)]),
            enabled: ["System"]).Relationships);

    [Theory]
    [InlineData("SYSTEM")]
    [InlineData("system\n")]
    [InlineData(" System ")]
    public void The_product_gets_the_registrys_spelling_of_a_type(string type)
    {
        var found = Apply(
            new([Entity("Ledger", type), Entity("Vault", type)], [new("Ledger", "Vault", "uses ", null)]), enabled: ["sYSTEM"]);

        Assert.Equal(["System", "System"], found.Entities.Select(each => each.Entity.Type));
        Assert.Equal("USES", Assert.Single(found.Relationships).Type);
    }

    [Fact]
    public void Without_types_of_its_own_a_project_gets_them_in_the_one_form() => Assert.Equal(
        "Data Store",
        Assert.Single(ExtractionRules.Apply(new([Entity("Ledger", " Data\n Store")], []), ExtractionTypes.None, [], Text, default)
            .Entities).Entity.Type);

    [Theory]
    [InlineData("ERP")]
    [InlineData("AI")]
    [InlineData("BRO")]
    public void A_name_inside_a_word_is_worth_half(string name) => Assert.Equal(
        0.55,
        Assert.Single(ExtractionRules.Apply(
            new([Entity(name)], []), Types, [], "The enterprise maintains its brochure.", default).Entities).Confidence,
        6);

    [Fact]
    public void Without_types_of_its_own_a_project_gets_none_that_no_prompt_could_list()
    {
        var type = new string('T', PromptLimits.LongestName + 1);

        var found = ExtractionRules.Apply(
            new([Entity("Ledger", type), Entity("Vault")], [new("Vault", "Vault", type, null)]), new([], []), [], Text, default);

        Assert.Equal(("Vault", 2), (Assert.Single(found.Entities).Entity.Name, found.Dropped[ExtractionRules.RefusedType]));
    }

    [Fact]
    public void A_job_may_want_some_types_only()
    {
        var found = Apply(new([Entity("Ledger"), Entity("Vault", "Team")], [new("Ledger", "Vault", "USES", null)]), enabled: ["Team"]);

        Assert.Equal("Vault", Assert.Single(found.Entities).Entity.Name);
        Assert.Equal(1, found.Dropped[ExtractionRules.RelationshipToNothing]);
    }

    [Fact]
    public void A_project_without_types_takes_any() => Assert.Single(
        ExtractionRules.Apply(new([Entity("Ledger", "Anything")], []), new([], []), [], Text, default).Entities);

    [Theory]
    [InlineData("Ledger", "d", """{"a":1}""", null, 1.0)]
    [InlineData("Ledger", "d", "{}", "L-1", 1.0)]
    [InlineData("LEDGER", "d", "{}", null, 0.95)]
    [InlineData("Ledger", "", "{}", null, 0.8)]
    [InlineData("Cellar", "d", """{"a":1}""", "C-1", 0.6)]
    [InlineData("Cellar", "", "{}", null, 0.4)]
    public void Confidence_comes_from_what_can_be_checked(
        string name, string description, string properties, string? key, double confidence)
    {
        var found = Apply(new([new("System", name, description, key, properties)], []));

        Assert.Equal(confidence, Assert.Single(found.Entities).Confidence, 6);
    }

    [Fact]
    public void Thresholds_store_and_accept_from_their_value_on()
    {
        var content = new AnsweredContent([Entity("Ledger"), Entity("Cellar")], []);

        var found = Apply(content, thresholds: new(0.56, 0.95));

        Assert.False(Assert.Single(found.Entities).NeedsReview);
        Assert.Equal(1, found.Dropped[ExtractionRules.LowConfidence]);
        Assert.Equal(2, Apply(content, thresholds: new(0.55, 0.96)).Entities.Count(each => each.NeedsReview));
    }

    [Theory]
    [InlineData("""{"auto_accept_threshold":0.9}""", """{"auto_accept_threshold":0.5,"min_threshold":0.3}""", 0.3, 0.9)]
    [InlineData(null, """{"min_threshold":0.3}""", 0.3, null)]
    [InlineData("{}", null, 0.0, null)]
    [InlineData("""{"auto_accept_threshold":"high"}""", "[]", 0.0, null)]
    public void A_jobs_thresholds_come_before_its_projects(string? job, string? project, double min, double? autoAccept) =>
        Assert.Equal(new ReviewThresholds(min, autoAccept), ReviewThresholds.Of(job, project));

    private static AnsweredEntity Entity(string name, string type = "System") => new(type, name, "d", null, "{}");

    private static AcceptedExtraction Apply(
        AnsweredContent content, string[]? enabled = null, ReviewThresholds thresholds = default) =>
        ExtractionRules.Apply(content, Types, enabled ?? [], Text, thresholds);
}
