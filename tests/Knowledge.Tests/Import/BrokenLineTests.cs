using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>What is wrong with a line, in the words that a person reads.</summary>
public sealed class BrokenLineTests
{
    private static readonly ImportOptions Options = new() { MaxTextLength = 200, MaxEntities = 3 };

    [Theory]
    [InlineData("{", "not JSON, at byte 2")]
    [InlineData("nonsense", "not JSON, at byte 2")]
    [InlineData("{} {}", "not JSON, at byte 4")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("7", "not a JSON object")]
    [InlineData("{}", "project is missing")]
    public void It_is_not_an_object(string json, string problem) => Assert.Equal(problem, Refuse(json));

    [Fact]
    public void It_stops_in_the_middle()
    {
        var json = SampleLine.Create().ToJsonString();

        Assert.EndsWith(
            "the input ends in the middle of this line", Refuse(json[..^40], isTerminated: false), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("project", "null", "project is missing")]
    [InlineData("project", "\" \"", "project is empty")]
    [InlineData("documentId", "7", "documentId must be a string")]
    [InlineData("documentTitle", "[]", "documentTitle must be a string")]
    [InlineData("chunkId", "\"\"", "chunkId is empty")]
    [InlineData("text", "\" \\n \"", "text is empty")]
    [InlineData("text", "null", "text is missing")]
    [InlineData("entities", "null", "entities is missing")]
    [InlineData("entities", "{}", "entities must be an array")]
    [InlineData("entities", "[7]", "entities[0] must be an object")]
    [InlineData("entities", "[{}]", "entities[0].id is missing")]
    [InlineData("entities", "[{},{},{},{}]", "entities has 4 elements, 3 are allowed")]
    [InlineData("relationships", "null", "relationships is missing")]
    [InlineData("relationships", "\"none\"", "relationships must be an array")]
    [InlineData("relationships", "[null]", "relationships[0] must be an object")]
    [InlineData("revision", "0", "revision must be a whole number from 1")]
    [InlineData("revision", "1.5", "revision must be a whole number from 1")]
    [InlineData("revision", "\"2\"", "revision must be a number")]
    public void A_member_is_wrong(string member, string value, string problem)
    {
        var line = SampleLine.Create();
        line[member] = JsonNode.Parse(value);

        Assert.Equal(problem, Refuse(line.ToJsonString()));
    }

    [Theory]
    [InlineData("id", "\"\"", "entities[1].id is empty")]
    [InlineData("id", "\"e0\"", "entities[1].id is used twice")]
    [InlineData("name", "null", "entities[1].name is missing")]
    [InlineData("type", "true", "entities[1].type must be a string")]
    [InlineData("start", "\"4\"", "entities[1].start must be a number")]
    [InlineData("description", "5", "entities[1].description must be a string")]
    [InlineData("businessKey", "5", "entities[1].businessKey must be a string")]
    [InlineData("review", "\"maybe\"", "entities[1].review must be one of reviewed, accepted, pending, rejected")]
    [InlineData("properties", "[]", "entities[1].properties must be an object")]
    [InlineData("properties", "{\"a\": {\"b\": [1e999]}}", "a member of entities[1].properties is a number out of range")]
    [InlineData("properties", "{\"a\": 1e-20000}", "a member of entities[1].properties is a number out of range")]
    public void A_member_of_an_entity_is_wrong(string member, string value, string problem)
    {
        var line = SampleLine.Create();
        line.Entity(1)[member] = JsonNode.Parse(value);

        Assert.Equal(problem, Refuse(line.ToJsonString()));
    }

    [Theory]
    [InlineData("source", "\"e7\"", "relationships[0].source is the id of no entity of this line")]
    [InlineData("target", "\"PostgreSQL\"", "relationships[0].target is the id of no entity of this line")]
    [InlineData("target", "null", "relationships[0].target is missing")]
    [InlineData("type", "\"\"", "relationships[0].type is empty")]
    [InlineData("description", "{}", "relationships[0].description must be a string")]
    public void A_member_of_a_relationship_is_wrong(string member, string value, string problem)
    {
        var line = SampleLine.Create();
        line.Relationship()[member] = JsonNode.Parse(value);

        Assert.Equal(problem, Refuse(line.ToJsonString()));
    }

    [Theory]
    [InlineData("documentTitle", "documentTitle")]
    [InlineData("text", "text")]
    [InlineData("name", "entities[0].name")]
    [InlineData("description", "entities[0].description")]
    [InlineData("properties", "a member of entities[0].properties")]
    public void PostgreSQL_could_not_store_a_string(string member, string path)
    {
        Assert.Equal(
            $"{path} contains the character U+0000, which PostgreSQL cannot store", Refuse(WithMark(member, "\\u0000")));
        Assert.Equal(
            $"{path} is not valid Unicode (a lone surrogate, or bytes that are not UTF-8)",
            Refuse(WithMark(member, "\\ud83d")));
    }

    [Fact]
    public void PostgreSQL_could_not_store_the_name_of_a_property()
    {
        var json = WithMark("properties", "x").Replace("\"note\"", "\"no\\u0000te\"", StringComparison.Ordinal);

        Assert.Equal("a name in entities[0].properties contains the character U+0000", Refuse(json));
        Assert.Equal(
            "a name in entities[0].properties is not valid Unicode",
            Refuse(json.Replace("\\u0000", "\\udc00", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_bytes_are_not_utf_8()
    {
        var bytes = Encoding.Latin1.GetBytes(WithMark("documentTitle", "\u00fc"));

        Assert.Equal(
            "documentTitle is not valid Unicode (a lone surrogate, or bytes that are not UTF-8)", Refuse(bytes, true));
    }

    [Fact]
    public void The_text_is_too_long()
    {
        var line = SampleLine.Create();
        line["text"] = new string('x', 201);

        Assert.Equal("text has 201 characters, 200 are allowed", Refuse(line.ToJsonString()));
    }

    [Fact]
    public void A_type_is_too_long_for_an_index()
    {
        var line = SampleLine.Create();
        line.Entity()["type"] = new string('x', 301);

        Assert.Equal("entities[0].type has 301 characters, 300 are allowed", Refuse(line.ToJsonString()));
    }

    // JsonNode would not write a broken string, so the escape goes in as text.
    private static string WithMark(string member, string escape)
    {
        var line = SampleLine.Create();
        var target = member is "documentTitle" or "text" ? line : line.Entity();
        target[member] = member == "properties" ? new JsonObject { ["note"] = "a MARK z" } : "a MARK z";
        return line.ToJsonString().Replace("MARK", escape, StringComparison.Ordinal);
    }

    private static string? Refuse(string json, bool isTerminated = true) =>
        Refuse(Encoding.UTF8.GetBytes(json), isTerminated);

    private static string? Refuse(byte[] json, bool isTerminated)
    {
        using var parser = new ImportLineParser(Options);
        return parser.Parse(new ReadOnlySequence<byte>(json), isTerminated).Problem;
    }
}
