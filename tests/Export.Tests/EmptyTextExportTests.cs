using System.Text;
using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Export.Tests;

/// <summary>Texts in which there is nothing to find, from rows to files.</summary>
public sealed class EmptyTextExportTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const double TestShare = 0.3;
    private const int Empty = 40;

    private TestDatabase _database = null!;
    private KnowledgeRows _rows = null!;
    private Guid _organization;
    private Guid _project;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new KnowledgeRows(_database.Database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
        await _rows.AddExamplesAsync(_project, 60);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Their_right_answer_is_empty()
    {
        await AddEmptyAsync("Minutes of no meeting.", isConfirmed: false);
        await AddEmptyAsync("This page is left blank.", isConfirmed: true);

        var (_, files) = await ExportAsync(maxEmptyShare: 0.1);

        var answers = files.Values.SelectMany(lines => lines)
            .Where(line => line.Text is "Minutes of no meeting." or "This page is left blank.")
            .Select(line => line.Answer);
        Assert.Equal([Nothing, Nothing], answers);
    }

    [Fact]
    public async Task They_are_at_most_their_share_of_what_is_learnt_from_and_all_of_the_held_out_ones_are_asked()
    {
        await AddManyAsync();

        var (content, files) = await ExportAsync(maxEmptyShare: 0.1);

        var (train, validation, test) = (EmptyOf(files["train"]), EmptyOf(files["validation"]), EmptyOf(files["test"]));
        var learnt = files["train"].Count + files["validation"].Count;
        Assert.InRange((double)(train.Count + validation.Count) / learnt, 0.07, 0.1);
        Assert.InRange(test.Count, 5, 20);
        Assert.Equal(Empty - train.Count - validation.Count - test.Count, content.Excluded["empty_share"]);
        Assert.Equal(
            new EmptyTextCounts(
                train.Count, validation.Count, test.Count,
                Math.Round((double)(train.Count + validation.Count) / learnt, 4)),
            content.EmptyTexts);
    }

    [Fact]
    public async Task A_smaller_share_takes_some_of_the_same_and_moves_none()
    {
        await AddManyAsync();
        var (_, many) = await ExportAsync(maxEmptyShare: 0.2);
        var (_, few) = await ExportAsync(maxEmptyShare: 0.05);
        var (_, none) = await ExportAsync(maxEmptyShare: 0);

        foreach (var side in (string[])["train", "validation"])
        {
            Assert.Subset(EmptyOf(many[side]), EmptyOf(few[side]));
            Assert.Empty(EmptyOf(none[side]));
        }

        Assert.NotEmpty(EmptyOf(few["train"]));
        Assert.True(EmptyOf(few["train"]).Count < EmptyOf(many["train"]).Count);
        Assert.Equal(EmptyOf(many["test"]), EmptyOf(few["test"]));
        Assert.Equal(EmptyOf(many["test"]), EmptyOf(none["test"]));
    }

    [Fact]
    public async Task They_keep_their_share_where_other_examples_are_left_out_for_their_texts()
    {
        await AddManyAsync();
        await _rows.ExecuteAsync(
            """
            update kb.chunks set text = text || ' Write to jo.miller@example.com.' where text like 'The Ledger%' and chunk_index % 5 <> 0
            """,
            new { });

        var (content, files) = await ExportAsync(maxEmptyShare: 0.1);

        Assert.InRange(content.Excluded["pii"], 40, 60);
        var (train, validation) = (EmptyOf(files["train"]), EmptyOf(files["validation"]));
        Assert.InRange(train.Count + validation.Count, 0, (files["train"].Count + files["validation"].Count) / 10);
        Assert.Equal(
            Empty - train.Count - validation.Count - EmptyOf(files["test"]).Count, content.Excluded["empty_share"]);
    }

    [Fact]
    public async Task Personal_data_keeps_them_out_as_any_other_text()
    {
        await AddEmptyAsync("Nothing but jo.miller@example.com here.", isConfirmed: true);

        var (content, _) = await ExportAsync(maxEmptyShare: 0.1);

        Assert.Equal(1, content.Excluded["pii"]);
        Assert.Equal(new EmptyTextCounts(0, 0, 0, 0), content.EmptyTexts);
    }

    private static string Nothing => """{"entities":[],"relationships":[]}""";

    private async Task AddManyAsync()
    {
        for (var i = 0; i < Empty; i++)
        {
            await AddEmptyAsync($"Page {i} is left blank.", isConfirmed: i % 2 == 0);
        }
    }

    private async Task AddEmptyAsync(string text, bool isConfirmed)
    {
        var chunk = await _rows.AddChunkAsync(await _rows.AddDocumentAsync(_project), text);
        var job = await _rows.AddJobAsync(_project, chunk);
        if (isConfirmed)
        {
            await _rows.ExecuteAsync(
                "insert into ml.confirmed_empty values (@job, @organization, @project, 'somebody', now())",
                new { job, organization = _organization, project = _project });
        }
        else
        {
            await _rows.AddObjectAsync(_project, new() { JobId = job, Status = "rejected" });
        }
    }

    private static HashSet<string> EmptyOf(IEnumerable<(string Text, string Answer)> lines) =>
        [.. lines.Where(line => line.Answer == Nothing).Select(line => line.Text)];

    private async Task<(DatasetMetadata Content, Dictionary<string, List<(string Text, string Answer)>> Files)> ExportAsync(
        double maxEmptyShare)
    {
        var store = new MemoryDatasetStore();
        var exporter = new DatasetExporter(
            _database.Database, new PiiScanner(), new TokenCounter(), new Failpoints(),
            Options.Create(new VerificationOptions()));
        var result = await exporter.ExportAsync(
            new Scope(_organization, _project), new ExportCriteria { MaxEmptyShare = maxEmptyShare }, TestShare,
            maxContributorShare: 1, minExamples: 1,
            store, "x/", (_, _) => Task.CompletedTask, (_, _) => Task.CompletedTask, Cancellation);

        ExportedFileOracle.AssertClean(store.Names.ToDictionary(name => name, name => store.Find(name)!)); // named
        var exported = Assert.IsType<ExportResult.Exported>(result).Content;
        var files = new Dictionary<string, List<(string, string)>>();
        foreach (var side in (string[])["train", "validation", "test"])
        {
            files[side] = [];
            if (!exported.Files.ContainsKey($"{side}.jsonl"))
            {
                continue;
            }

            await using var content = await store.OpenReadAsync($"x/{side}.jsonl", generation: null, Cancellation);
            using var reader = new StreamReader(content, Encoding.UTF8);
            while (await reader.ReadLineAsync(Cancellation) is { } line)
            {
                using var json = JsonDocument.Parse(line);
                var turns = json.RootElement.GetProperty("contents");
                files[side].Add((ExtractionPrompt.TextOf(TextOf(turns[0]))!, TextOf(turns[1]))); // as the export writes it
            }
        }

        return (exported, files);

        static string TextOf(JsonElement turn) => turn.GetProperty("parts")[0].GetProperty("text").GetString()!;
    }
}
