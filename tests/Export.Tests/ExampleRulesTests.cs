using System.Text;
using System.Text.Json;
using CsCheck;
using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Export.Tests;

/// <summary>What becomes an example, and what its line looks like.</summary>
public sealed class ExampleRulesTests
{
    private const string Text = "The Ledger books payments. It uses Kafka.";

    private static readonly PiiScanner Scanner = new();
    private static readonly ExportCriteria Criteria = new();
    private static readonly ExtractionTypes Types = new(
        [.. "System Technology Contact Line Type0 Type1 Type2".Split(' ').Append("Data Store").Select(name => new ExtractionType(name, "", []))],
        [new("USES", "", [])]);
    private static readonly ExtractionPrompt Prompt = ExtractionPrompt.For(new([], []));

    [Fact]
    public void A_verified_chunk_becomes_an_example_in_reading_order()
    {
        var kafka = Object("Kafka", "Technology");
        var ledger = Object("Ledger");
        var candidate = Candidate(Text, [kafka, ledger]) with { Relationships = [Link(ledger, kafka, "USES")] };

        var accepted = Accepted(candidate);

        Assert.Equal(["Ledger", "Kafka"], accepted.Example.Entities.Select(e => e.Name));
        Assert.Equal(
            [new ExampleRelationship("Ledger", "Kafka", "USES", null)], accepted.Example.Relationships);
    }

    [Fact]
    public void Every_exclusion_has_its_reason()
    {
        var ledger = Object("Ledger");

        Assert.Equal(ExclusionReason.NoSourceChunk, Reason(Candidate(Text, [ledger]) with { Chunk = null }));
        Assert.Equal(ExclusionReason.EmptyText, Reason(Candidate(" \n\t", [ledger])));
        Assert.Equal(ExclusionReason.NoEntity, Reason(Candidate(Text, [])));
        Assert.Equal(ExclusionReason.NoEntity, Reason(Candidate(Text, [Object("")])));
        Assert.Equal(ExclusionReason.NoEntity, Reason(Candidate(Text, []) with { RejectedCount = 3 }));
        Assert.Equal(ExclusionReason.InvalidText, Reason(Candidate("half \ud83d pair", [ledger])));
        Assert.Equal(ExclusionReason.InvalidText, Reason(Candidate("low first \udc00", [ledger])));
        Assert.Equal(ExclusionReason.Pii, Reason(Candidate(Text + " Ask jo.miller@example.com.", [ledger])));
    }

    [Theory]
    [InlineData("a whole pair ><", true)]
    [InlineData("><>< at both ends ><", true)]
    [InlineData("a whole pair >< and half >", false)]
    [InlineData("two firsts >><", false)]
    [InlineData("a pair and a second ><<", false)]
    public void Only_whole_pairs_are_characters(string text, bool isAccepted)
    {
        // Halves cannot stand in an attribute.
        var candidate = Candidate(text.Replace('>', '\ud83c').Replace('<', '\udf0a'), [Object("Ledger")]);

        var decision = ExampleRules.Decide(candidate, Criteria, Scanner, Types);

        Assert.Equal(isAccepted ? null : ExclusionReason.InvalidText, (decision as ExampleRules.Decision.Excluded)?.Reason);
    }

    [Theory]
    [InlineData(4, 1, 0, true)]
    [InlineData(3, 1, 0, false)]
    [InlineData(3, 1, 1, true)]
    [InlineData(0, 1, 0, false)]
    public void More_than_a_fifth_undecided_leaves_the_chunk_out(
        int verified, int undecided, int rejected, bool isAccepted)
    {
        var candidate = Candidate(Text, [.. Enumerable.Range(0, verified).Select(i => Object($"Ledger {i}"))]) with
        {
            UndecidedCount = undecided,
            RejectedCount = rejected,
        };

        if (isAccepted)
        {
            Accepted(candidate);
        }
        else
        {
            Assert.Equal(ExclusionReason.UndecidedObjects, Reason(candidate));
        }
    }

    [Fact]
    public void Short_descriptions_and_foreign_ends_are_left_out_and_counted()
    {
        var ledger = Object("Ledger");
        var kafka = Object("Kafka", description: "exactly twenty chars");
        var candidate = Candidate(Text, [ledger, kafka]) with
        {
            Relationships = [Link(ledger, kafka, "USES"), Link(ledger, Object("Elsewhere"), "USES")],
        };

        var accepted = Accepted(candidate);

        Assert.Equal(["Ledger"], accepted.Example.Entities.Select(e => e.Name));
        Assert.Empty(accepted.Example.Relationships);
        Assert.Equal(new LeftOut(1, 2), accepted.LeftOut);
    }

    [Fact]
    public void Nothing_of_a_type_that_the_prompt_does_not_list_is_taught()
    {
        var (ledger, kafka, owned) = (Object("Ledger"), Object("Kafka"), Object("Desk", "Furniture"));
        var links = new[]
        {
            Link(ledger, kafka, "USES"), Link(ledger, kafka, "OWNED_BY"), Link(ledger, owned, "USES"),
        };
        var candidate = Candidate(Text, [ledger, kafka, owned]) with { Relationships = links };

        foreach (var policy in Enum.GetValues<PiiPolicy>())
        {
            var accepted = Accepted(candidate, Criteria with { Pii = policy });

            Assert.Equal(["System", "System"], accepted.Example.Entities.Select(e => e.Type));
            Assert.Equal(["USES"], accepted.Example.Relationships.Select(r => r.Type));
            Assert.Equal(new LeftOut(0, 1, 2), accepted.LeftOut with { Answer = default });
        }
    }

    [Fact]
    public void Two_spellings_of_one_number_are_one_entity_once_they_are_one_placeholder()
    {
        var (one, same) = (Object("+1 212 736 5000", "Contact"), Object("+1 (212) 736-5000", "Contact"));
        var (other, ledger) = (Object("+1 212.736.5000", "Line"), Object("Ledger"));
        var candidate = Candidate("Ledger: call +1 212 736 5000.", [one, same, other, ledger]) with
        {
            Relationships = [Link(one, same, "USES"), Link(ledger, one, "USES"), Link(ledger, other, "USES")],
        };

        var accepted = Accepted(candidate, Criteria with { Pii = PiiPolicy.Redact });

        Assert.Equal(
            [("System", "Ledger"), ("Contact", "[PHONE_1]"), ("Line", "[PHONE_1]")],
            accepted.Example.Entities.Select(e => (e.Type, e.Name)));
        Assert.Empty(accepted.Example.Relationships);
        Assert.Equal((1L, 2L), (accepted.LeftOut.Answer.RepeatedEntities, accepted.LeftOut.Answer.Ambiguous));
    }

    [Fact]
    public void A_text_that_loses_all_its_entities_so_is_no_text_without_entities() =>
        Assert.Equal(ExclusionReason.UnlistedType, Reason(Candidate(Text, [Object("Desk", "Furniture")])));

    [Fact]
    public void A_project_without_types_teaches_those_that_a_prompt_could_list()
    {
        var (ledger, odd) = (Object("Ledger"), Object("Kafka", "Ignore: the rules"));
        var decision = ExampleRules.Decide(
            Candidate(Text, [ledger, odd]) with { Relationships = [Link(ledger, ledger, "<b>")] }, Criteria, Scanner,
            ExtractionTypes.None);

        var accepted = Assert.IsType<ExampleRules.Decision.Accepted>(decision);
        Assert.Equal(["System"], accepted.Example.Entities.Select(e => e.Type));
        Assert.Equal(2, accepted.LeftOut.LeftOutType);
    }

    [Fact]
    public void Types_are_spelled_as_the_prompt_spells_them()
    {
        var (ledger, kafka) = (Object("Ledger", "system "), Object("Kafka", "Data\n Store"));
        var candidate = Candidate(Text, [ledger, kafka]) with { Relationships = [Link(ledger, kafka, "uses")] };

        var example = Accepted(candidate).Example;

        Assert.Equal(["System", "Data Store"], example.Entities.Select(e => e.Type));
        Assert.Equal("USES", Assert.Single(example.Relationships).Type);
    }

    [Fact]
    public void The_answer_holds_the_characters_themselves()
    {
        const string name = "Flow\u00A0🌊\u3000Hub\u2028\uE000\u007F<&>'+\uFEFF";
        var o = Object(properties: JsonSerializer.Serialize(
            new Dictionary<string, string>
            {
                ["name"] = name,
                ["description"] = $"{name} is described here.",
                [name] = name,
            },
            TextJson.Default.DictionaryStringString));

        var line = Line(Accepted(Candidate(name, [o with { Key = name }])).Example);

        using var json = JsonDocument.Parse(line);
        Assert.DoesNotContain('\\', AnswerText(json));
        Assert.DoesNotContain("\\u", line, StringComparison.Ordinal);
        Assert.Equal(6, AnswerText(json).Split(name).Length);
    }

    [Theory]
    [InlineData("""{"name":"Ledger","description":"Its owner is jo.miller@example.com."}""")]
    [InlineData("""{"name":"jo.miller@example.com","description":"The one who books the payments."}""")]
    [InlineData("""{"name":"Ledger","description":"The one who books the payments.","card":4111111111111111}""")]
    [InlineData("""{"name":"Ledger","description":"The one who books the payments.","a":{"b":["jo.miller@example.com"]}}""")]
    public void Personal_data_in_the_answer_counts_as_much_as_in_the_text(string properties)
    {
        Assert.Equal(ExclusionReason.Pii, Reason(Candidate(Text, [Object(properties: properties)])));
    }

    [Fact]
    public void The_products_own_members_are_neither_scanned_nor_taught()
    {
        var o = Object(properties:
            """{"name":"Ledger","description":"The one who books the payments.","_extraction_source":"a@b.example.com"}""");

        var entity = Assert.Single(Accepted(Candidate(Text, [o])).Example.Entities);
        Assert.Equal("{}", Encoding.UTF8.GetString(entity.PropertiesJson.Span));
    }

    [Theory]
    [InlineData(null, "SYS-1")]
    [InlineData("OWN-2", "OWN-2")]
    public void A_key_that_another_object_has_is_the_key_of_its_carrier_in_the_answer(string? own, string expected)
    {
        var o = Object(properties:
            """{"name":"Ledger","description":"The one who books the payments.","business_key":"SYS-1","tier":1}""")
            with
        { Key = own };

        var entity = Assert.Single(Accepted(Candidate(Text, [o])).Example.Entities);

        Assert.Equal((expected, """{"tier":1}"""), (entity.BusinessKey, Encoding.UTF8.GetString(entity.PropertiesJson.Span)));
    }

    [Fact]
    public void Redaction_reaches_text_answer_and_numbers_and_keeps_the_answer_valid()
    {
        var o = Object(properties:
            """
            {"name":"Ledger","description":"Its owner is jo.miller@example.com.","card":4111111111111111,"n":12}
            """);
        var candidate = Candidate("The Ledger of jo.miller@example.com.", [o]);

        var line = Line(Accepted(candidate, Criteria with { Pii = PiiPolicy.Redact }).Example);

        Assert.DoesNotContain("jo.miller", line, StringComparison.Ordinal);
        Assert.DoesNotContain("4111", line, StringComparison.Ordinal);
        Assert.Equal(12, Answer(line).GetProperty("entities")[0].GetProperty("properties").GetProperty("n").GetInt32());
    }

    [Fact]
    public void Allowing_personal_data_changes_nothing()
    {
        var candidate = Candidate(Text + " Ask jo.miller@example.com.", [Object("Ledger")]);

        Assert.Contains(
            "jo.miller@example.com",
            Line(Accepted(candidate, Criteria with { Pii = PiiPolicy.Allow }).Example),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_is_what_Gemini_tuning_reads()
    {
        var o = Object(properties:
            """{"vendor":"Acme","name":"Ledger","a":{"z":1,"b":1.50},"description":"Books \"all\" payments → ok."}""");

        var line = Line(Accepted(Candidate("Ledger\nline two", [o with { Key = "SYS-1" }])).Example);

        Assert.EndsWith("}\n", line, StringComparison.Ordinal);
        Assert.Equal(1, line.Count(c => c == '\n'));
        using var json = JsonDocument.Parse(line);
        Assert.Equal(
            ["systemInstruction", "contents"], json.RootElement.EnumerateObject().Select(m => m.Name));
        Assert.Equal(
            ["user", "model"],
            json.RootElement.GetProperty("contents").EnumerateArray().Select(c => c.GetProperty("role").GetString()!));
        Assert.Contains("Ledger\nline two", UserText(json), StringComparison.Ordinal);
        Assert.Equal(
            """
            {"entities":[{"type":"System","name":"Ledger","description":"Books \"all\" payments → ok.","business_key":"SYS-1","properties":{"a":{"b":1.50,"z":1},"vendor":"Acme"}}],"relationships":[]}
            """,
            AnswerText(json));
    }

    [Fact]
    public void Names_with_any_characters_come_back_as_they_were() =>
        Gen.String[Gen.Char.Where(c => !char.IsSurrogate(c)), 1, 40].Where(n => n.Trim() == n).Sample(name =>
        {
            var (o, other) = (Object(name), Object("Another one"));
            var named = ComparedText.Name(name).Length > 0;
            var example = Accepted(
                Candidate(name + " at the front.", [o, other]) with { Relationships = [Link(o, other, "USES")] },
                Criteria with { Pii = PiiPolicy.Allow }).Example;

            var line = Line(example);

            Assert.Equal(1, line.Count(c => c == '\n'));
            Assert.Equal(name, Answer(line).GetProperty("entities")[0].GetProperty("name").GetString());
            Assert.Equal(named ? 1 : 0, Answer(line).GetProperty("relationships").GetArrayLength());
            Assert.Equal(name, named ? Answer(line).GetProperty("relationships")[0].GetProperty("source_name").GetString() : name);
        });

    [Fact]
    public void The_order_of_the_rows_does_not_change_a_byte()
    {
        var objects = Enumerable.Range(0, 30).Select(i => Object($"Ledger {i % 10}", $"Type{i % 3}")).ToArray();
        var links = objects.Zip(objects.Skip(1), (a, b) => Link(a, b, "USES")).ToArray();
        var expected = Line(Accepted(Candidate("Ledger 3, Ledger 1", objects) with { Relationships = links }).Example);

        Gen.Shuffle(objects).Select(Gen.Shuffle(links)).Sample((shuffled, shuffledLinks) => Assert.Equal(
            expected,
            Line(Accepted(
                Candidate("Ledger 3, Ledger 1", shuffled) with { Relationships = shuffledLinks }).Example)));
    }

    [Fact]
    public void An_answer_nested_deeper_than_a_reader_goes_is_noticed()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 70)) + "1" + new string('}', 70);
        var o = Object(properties: $$"""{"name":"Ledger","description":"Books every payment there is.","deep":{{deep}}}""");
        var writer = new ExampleWriter();

        writer.Write(Prompt, Accepted(Candidate(Text, [o])).Example);
        Assert.False(writer.IsAnswerValid());
        writer.Write(Prompt, Accepted(Candidate(Text, [Object("Ledger")])).Example);
        Assert.True(writer.IsAnswerValid());
    }

    [Fact]
    public void A_text_that_is_verified_to_hold_nothing_has_an_empty_answer()
    {
        var candidate = Candidate("This page is left blank.", []) with { RejectedCount = 2, IsEmpty = true };

        var line = Line(Accepted(candidate).Example);

        using var json = JsonDocument.Parse(line);
        Assert.Equal("""{"entities":[],"relationships":[]}""", AnswerText(json));
        Assert.Equal("no_entity", Reason(candidate with { IsEmpty = false }));
        Assert.Equal("pii", Reason(Candidate("Write to jo.miller@example.com.", []) with { IsEmpty = true }));
    }

    [Fact]
    public void Ten_thousand_entities_in_one_chunk_are_written()
    {
        var objects = Enumerable.Range(0, 10_000).Select(i => Object($"Ledger {i}")).ToArray();

        var line = Line(Accepted(Candidate(new string('x', 200_000), objects)).Example);

        Assert.Equal(10_000, Answer(line).GetProperty("entities").GetArrayLength());
    }

    internal static ExtractedObject Object(
        string name = "Ledger", string type = "System", string description = "It books every payment of the bank.",
        string? properties = null)
    {
        var json = properties ?? JsonSerializer.Serialize(
            new Dictionary<string, string> { ["name"] = name, ["description"] = description },
            TextJson.Default.DictionaryStringString);
        return new(Guid.Empty, Guid.Empty, Guid.NewGuid(), Verdict.Verified, type, null, Encoding.UTF8.GetBytes(json));
    }

    private static Candidate Candidate(string text, IReadOnlyList<ExtractedObject> verified) =>
        new(new SourceChunk(Guid.Empty, Guid.Empty, Guid.Empty, Guid.Empty, text), verified, [], 0, 0);

    private static ExtractedRelationship Link(ExtractedObject source, ExtractedObject target, string type) =>
        new(Guid.Empty, Guid.Empty, source.CanonicalId, target.CanonicalId, type, "{}"u8.ToArray());

    private static ExampleRules.Decision.Accepted Accepted(Candidate candidate, ExportCriteria? criteria = null) =>
        Assert.IsType<ExampleRules.Decision.Accepted>(
            ExampleRules.Decide(candidate, criteria ?? Criteria, Scanner, Types));

    private static string Reason(Candidate candidate) =>
        Assert.IsType<ExampleRules.Decision.Excluded>(ExampleRules.Decide(candidate, Criteria, Scanner, Types)).Reason;

    private static string Line(TrainingExample example)
    {
        var writer = new ExampleWriter();
        writer.Write(Prompt, example);
        return Encoding.UTF8.GetString(writer.Line.Span);
    }

    private static JsonElement Answer(string line)
    {
        using var json = JsonDocument.Parse(line);
        using var answer = JsonDocument.Parse(AnswerText(json));
        return answer.RootElement.Clone();
    }

    private static string AnswerText(JsonDocument line) => Turn(line, 1);

    private static string UserText(JsonDocument line) => Turn(line, 0);

    private static string Turn(JsonDocument line, int turn) =>
        line.RootElement.GetProperty("contents")[turn].GetProperty("parts")[0].GetProperty("text").GetString()!;
}
