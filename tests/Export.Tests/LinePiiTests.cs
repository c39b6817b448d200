using System.Text;
using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;
using FeedbackLoop.Pii;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Export.Tests;

/// <summary>The last look at a line, and the oracle that looks at all files of a test.</summary>
public sealed class LinePiiTests
{
    private const string Text = "The Ledger books payments.";

    private static readonly ExampleEntity Ledger = new("System", "Ledger", "Books payments.", null, "{}"u8.ToArray());
    private static readonly TrainingExample Clean = new(Text, [Ledger], []);
    private static readonly ExtractionTypes Types = new([new("System", "Books payments.", [])], []);

    public static TheoryData<string> Places =>
    [
        "text", "type", "name", "description", "business_key", "value", "member", "number", "relationship", "prompt",
        "two members", "behind an escape",
    ];

    [Theory]
    [MemberData(nameof(Places))]
    public void Personal_data_is_found_in_every_place_of_a_line(string place)
    {
        var line = Line(place);

        Assert.True(new LinePii(new PiiScanner()).IsIn(line), place);
        var failure = Assert.Throws<ExportedPersonalDataException>(() => ExportedFileOracle.AssertClean(Files(line)));
        Assert.DoesNotContain("jane.doe", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_without_it_passes_however_often_it_is_looked_at()
    {
        var lines = new LinePii(new PiiScanner());

        Assert.False(lines.IsIn(Line("nowhere")));
        Assert.False(lines.IsIn(Line("nowhere")));
        Assert.True(lines.IsIn(Line("prompt")));
        Assert.True(lines.IsIn(Line("prompt")));
        Assert.Equal(1, ExportedFileOracle.AssertClean(Files(Line("nowhere"))));
    }

    [Fact]
    public void The_oracle_leaves_alone_what_an_export_allowed()
    {
        var files = new Dictionary<string, byte[]>(Files(Line("text")))
        {
            ["a/v1/metadata.json"] = """{"criteria":{"pii":"Allow"},"prompts":{"p":"Write to jane.doe@example.com."}}"""u8.ToArray(),
        };
        var other = new Dictionary<string, byte[]>(files)
        {
            ["a/v1/metadata.json"] = """{"criteria":{"pii":"Redact"},"prompts":{}}"""u8.ToArray(),
        };

        Assert.Equal(0, ExportedFileOracle.AssertClean(files));
        Assert.Throws<ExportedPersonalDataException>(() => ExportedFileOracle.AssertClean(other));
        Assert.Throws<ExportedPersonalDataException>(() => ExportedFileOracle.AssertClean(new Dictionary<string, byte[]>
        {
            ["a/v2/metadata.json"] = """{"criteria":{"pii":"Exclude"},"prompts":{"p":"Write to jane.doe@example.com."}}"""u8.ToArray(),
        }));
    }

    private static Dictionary<string, byte[]> Files(ReadOnlyMemory<byte> line) =>
        new() { ["a/v1/attempts/1/train.jsonl"] = line.ToArray() };

    private static ReadOnlyMemory<byte> Line(string place)
    {
        const string mail = "jane.doe@example.com";
        var example = place switch
        {
            "text" => Clean with { Text = $"Write to {mail}." },
            "type" => With(Ledger with { Type = mail }),
            "name" => With(Ledger with { Name = mail }),
            "description" => With(Ledger with { Description = mail }),
            "business_key" => With(Ledger with { BusinessKey = mail }),
            "value" => With(Ledger with { PropertiesJson = Encoding.UTF8.GetBytes($$$"""{"a":{"b":["{{{mail}}}"]}}""") }),
            "member" => With(Ledger with { PropertiesJson = Encoding.UTF8.GetBytes($$$"""{"a":{"{{{mail}}}":1}}""") }),
            "number" => With(Ledger with { PropertiesJson = """{"phone":2127365000}"""u8.ToArray() }),
            "relationship" => Clean with { Relationships = [new("Ledger", "Vault", "USES", mail)] },
            "two members" => With(Ledger with { PropertiesJson = """{"contact":"mobile phone","work":"2127365000"}"""u8.ToArray() }),
            "behind an escape" => With(Ledger with { Description = "Card:\n4111111111111111" }),
            _ => Clean,
        };
        var types = place == "prompt" ? new ExtractionTypes([new("System", $"Ask {mail}.", [])], []) : Types;
        var writer = new ExampleWriter();
        writer.Write(ExtractionPrompt.For(types), example);
        return writer.Line.ToArray();
    }

    private static TrainingExample With(ExampleEntity entity) => Clean with { Entities = [entity] };
}
