using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace FeedbackLoop.Knowledge.Import;

public sealed class ImportLineParserTests
{
    [Fact]
    public void A_line_is_read_with_all_its_members()
    {
        var line = Accept(SampleLine.Create());

        Assert.Equal(
            ("banking", "d1", "Title of d1", "d1#0", 1),
            (line.Project, line.DocumentId, line.DocumentTitle, line.ChunkId, line.Revision));
        Assert.Equal(
            new ImportEntity("e0", "System", "SYS-1", Review: null, line.Entities[0].PropertiesJson), line.Entities[0]);
        Assert.Equal(
            [new ImportRelationship("e0", "e1", "stored in", "The journal is stored there.")], line.Relationships);
    }

    [Fact]
    public void Properties_hold_name_and_description_and_then_what_the_line_adds() =>
        Assert.Equal(
            """
            {"name":"Ledger Core","description":"Ledger Core keeps the balance of every account of the bank.","lifecycle":"strategic"}
            """,
            Accept(SampleLine.Create()).Entities[0].PropertiesJson);

    [Fact]
    public void A_description_of_its_own_is_kept() =>
        Assert.Equal(
            """{"name":"PostgreSQL","description":"Database of the journal."}""",
            Accept(SampleLine.Create()).Entities[1].PropertiesJson);

    [Fact]
    public void Optional_members_may_be_null_or_absent()
    {
        var line = SampleLine.Create();
        line["documentTitle"] = null;
        foreach (var member in new[] { "start", "end", "businessKey", "properties", "review", "description" })
        {
            line.Entity()[member] = null;
            line.Entity(1).Remove(member);
        }

        Assert.Equal("d1", Accept(line).DocumentTitle);
    }

    [Fact]
    public void Unknown_members_are_ignored()
    {
        var line = SampleLine.Create();
        var known = Accept(line).ContentSha256;
        line["predictions"] = new JsonObject { ["x"] = "y\0" };
        line.Entity()["mentions"] = 7;
        line.Relationship()["evidence"] = new JsonArray(1, 2);

        Assert.Equal(known, Accept(line).ContentSha256);
    }

    [Fact]
    public void The_last_of_two_equal_names_counts() =>
        Assert.Equal(
            "second",
            AcceptText(
                """
                {"project": "first", "project": "second", "documentId": "d", "chunkId": "c", "text": "t",
                 "entities": [], "relationships": []}
                """).Project);

    [Fact]
    public void No_entity_at_all_is_allowed()
    {
        var line = SampleLine.Create();
        (line["entities"], line["relationships"]) = (new JsonArray(), new JsonArray());

        Assert.Empty(Accept(line).Entities);
    }

    [Theory]
    [InlineData("-5")]
    [InlineData("1.5")]
    [InlineData("99999999999999999999")]
    public void An_offset_that_no_text_has_is_ignored(string offset)
    {
        var line = SampleLine.Create();
        line.Entity()["end"] = JsonNode.Parse(offset);

        Assert.Contains("keeps the balance", Accept(line).Entities[0].PropertiesJson, StringComparison.Ordinal);
    }

    [Fact]
    public void A_relationship_that_is_named_twice_counts_once()
    {
        var line = SampleLine.Create();
        line["relationships"]!.AsArray().Add(line.Relationship().DeepClone());

        Assert.Single(Accept(line).Relationships);
    }

    [Theory]
    [InlineData("project")]
    [InlineData("documentId")]
    [InlineData("documentTitle")]
    [InlineData("chunkId")]
    [InlineData("text")]
    public void The_hash_depends_on_every_imported_member(string member)
    {
        var line = SampleLine.Create();
        var before = Accept(line).ContentSha256;
        line[member] = "other";

        Assert.NotEqual(before, Accept(line).ContentSha256);
    }

    [Theory]
    [InlineData("name", "\"other\"")]
    [InlineData("type", "\"other\"")]
    [InlineData("start", "1")]
    [InlineData("businessKey", "\"other\"")]
    [InlineData("description", "\"other\"")]
    [InlineData("review", "\"pending\"")]
    [InlineData("properties", "{\"lifecycle\": \"retired\"}")]
    public void The_hash_depends_on_every_member_of_an_entity(string member, string value)
    {
        var line = SampleLine.Create();
        var before = Accept(line).ContentSha256;
        line.Entity()[member] = JsonNode.Parse(value);

        Assert.NotEqual(before, Accept(line).ContentSha256);
    }

    [Fact]
    public void Broken_bytes_never_end_the_import() =>
        Gen.Select(Gen.Int[0, 10_000], Gen.Byte).Array[1, 8].Sample(changes =>
        {
            var bytes = Encoding.UTF8.GetBytes(SampleLine.Create().ToJsonString());
            foreach (var (position, value) in changes)
            {
                bytes[position % bytes.Length] = value;
            }

            using var parser = new ImportLineParser(new ImportOptions());
            var (line, problem) = parser.Parse(new ReadOnlySequence<byte>(bytes), isTerminated: true);
            return line is null != problem is null;
        });

    private static ImportLine Accept(JsonObject line) => AcceptText(line.ToJsonString());

    private static ImportLine AcceptText(string json)
    {
        using var parser = new ImportLineParser(new ImportOptions());
        var (line, problem) = parser.Parse(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(json)), isTerminated: true);
        Assert.Null(problem);
        return line!;
    }
}
