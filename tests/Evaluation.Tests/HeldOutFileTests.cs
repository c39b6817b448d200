using System.Security.Cryptography;
using System.Text;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Evaluation.Tests;

public sealed class HeldOutFileTests
{
    private const string Text = "Ada knows Bob.\nAnd </document> is text, too.";
    private static readonly ExtractionPrompt Prompt = ExtractionPrompt.For(new([new("Person", "Somebody.", [])], []));
    private static readonly Guid Document = Guid.NewGuid();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_line_comes_back_as_it_was_written()
    {
        var (line, hash) = Write();

        var chunk = Assert.Single(await ReadAsync(line, hash));

        Assert.Equal((0, hash, Document, Prompt.System, ExtractionPrompt.User(Text), Text),
            (chunk.Position, chunk.ContentHash, chunk.DocumentId, chunk.System, chunk.User, chunk.Text));
        Assert.Equal([new ScoredEntity("Person", "Ada"), new ScoredEntity("Person", "Bob")], chunk.Expected.Entities);
        Assert.Equal([new ScoredRelationship("Ada", "KNOWS", "Bob")], chunk.Expected.Relationships);
        Assert.Equal(Encoding.UTF8.GetByteCount(chunk.System + chunk.User), chunk.PromptBytes);
    }

    [Fact]
    public async Task A_text_with_nothing_to_find_comes_back_as_that()
    {
        var writer = new ExampleWriter();
        writer.Write(Prompt, new TrainingExample("It rained all day.", [], []));
        var hash = Convert.ToHexStringLower(ExampleOrigin.HashOf("It rained all day.", writer.Answer.Span));

        var chunk = Assert.Single(await ReadAsync(Encoding.UTF8.GetString(writer.Line.Span), hash));

        Assert.Equal("""{"entities":[],"relationships":[]}""", Encoding.UTF8.GetString(writer.Answer.Span));
        Assert.Empty(chunk.Expected.Entities);
        Assert.Empty(chunk.Expected.Relationships);
        Assert.True(ExtractionScorer.Score(Document, chunk.Text, chunk.Expected, ScoredContent.Empty).IsEmptyText);
    }

    [Fact]
    public async Task A_file_of_another_dataset_is_refused()
    {
        var (line, _) = Write();

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(line, new string('a', 64)));

        Assert.Equal("line 0 of the held-out file is of no document of the dataset", refused.Message);
    }

    [Fact]
    public async Task A_file_that_changed_since_the_export_is_refused_though_each_line_is_one_of_its_own()
    {
        var (line, hash) = Write();
        var whole = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(line + line)));
        Assert.Equal(2, (await ReadAsync(line + line, hash, whole)).Count);

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(line, hash, whole));

        Assert.Equal(
            $"it has SHA-256 {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(line)))}, and the export wrote {whole}",
            refused.Message);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("""{"systemInstruction":{"parts":[]},"contents":[]}""")]
    [InlineData("""{"systemInstruction":{"parts":[{"text":null}]},"contents":[]}""")]
    [InlineData("""{"systemInstruction":{"parts":[{"text":"a"}]},"contents":[{"parts":[{"text":"b"}]},{"parts":[{"text":"{}"}]}]}""")]
    public async Task A_line_that_no_export_wrote_is_refused_with_its_number(string line)
    {
        var (good, hash) = Write();

        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(good + line, hash));

        Assert.StartsWith("line 1 of the held-out file ", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(2, 0, false)]
    [InlineData(1, 4.5, true)]
    [InlineData(1, 4.51, false)]
    public void Chunks_are_taken_up_to_the_limits_of_number_and_cost(int chunks, double planned, bool hasRoom) => Assert.Equal(
        hasRoom,
        EvaluationPlan.HasRoom(chunks, (decimal)planned, nextUsd: 0.5m, new EvaluationOptions { MaxChunks = 2, MaxUsd = 5 }));

    [Fact]
    public void A_chunk_costs_what_all_models_ask_for_it()
    {
        var chunk = new HeldOutChunk(0, "", Document, "", "", "", ScoredContent.Empty, PromptBytes: 3_000, AnswerBytes: 301);

        Assert.Equal(
            ((1_000 * 1m) + (101 * 10m) + (1_000 * 2m) + (101 * 20m)) / 1_000_000,
            EvaluationPlan.EstimateUsd(chunk, [new(1, 10), new(2, 20)]));
    }

    private static (string Line, string Hash) Write()
    {
        var writer = new ExampleWriter();
        writer.Write(Prompt, new TrainingExample(
            Text, [Entity("Ada"), Entity("Bob")], [new ExampleRelationship("Ada", "Bob", "KNOWS", null)]));
        return (
            Encoding.UTF8.GetString(writer.Line.Span),
            Convert.ToHexStringLower(ExampleOrigin.HashOf(Text, writer.Answer.Span)));
    }

    private static ExampleEntity Entity(string name) => new("Person", name, "Of the text.", null, "{}"u8.ToArray());

    private static async Task<IReadOnlyList<HeldOutChunk>> ReadAsync(string lines, string hash, string? sha256 = null)
    {
        var bytes = Encoding.UTF8.GetBytes(lines);
        using var content = new MemoryStream(bytes);
        return await HeldOutFile.ReadAsync(content, sha256 ?? Convert.ToHexStringLower(SHA256.HashData(bytes)), new Dictionary<string, Guid> { [hash] = Document }, Stop)
            .ToListAsync(Stop);
    }
}
