using System.Text;
using System.Text.Json.Nodes;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>Files as they come: broken, odd, long, or stopped half-way.</summary>
public sealed class ImportInputTests(PostgresFixture postgres) : ImportTestBase(postgres)
{
    [Fact]
    public async Task Broken_lines_are_reported_and_the_rest_goes_in()
    {
        var good = SampleLine.Create().ToJsonString();
        var other = SampleLine.Create("d1#1").ToJsonString();

        string[] lines = [$"\uFEFF{good}\r", "\r", "  ", "{oops", "{\"project\": 5}\r", $"{other}\r", good[..50]];

        var report = await ImportTextAsync(string.Join('\n', lines));

        Assert.Equal((2, 3, 5), (report.Added, report.Broken, report.Lines));
        Assert.Equal(
            [
                new LineProblem(4, "not JSON, at byte 2"),
                new LineProblem(5, "project must be a string"),
                new LineProblem(7, "not JSON, at byte 51: the input ends in the middle of this line"),
            ],
            report.BrokenLines);
    }

    [Fact]
    public async Task A_last_line_without_a_line_break_goes_in() =>
        Assert.Equal(1, (await ImportTextAsync(SampleLine.Create().ToJsonString())).Added);

    [Fact]
    public async Task A_line_that_is_too_long_is_reported()
    {
        var report = await ImportAsync(new ImportOptions { MaxLineBytes = 100 }, SampleLine.Create());

        Assert.Equal([new LineProblem(1, "the line is longer than 100 bytes")], report.BrokenLines);
    }

    [Fact]
    public async Task Only_the_first_hundred_problems_are_kept_and_all_are_counted()
    {
        var report = await ImportTextAsync(string.Concat(Enumerable.Repeat("x\n", 250)));

        Assert.Equal((250, 100), (report.Broken, report.BrokenLines.Count));
    }

    [Fact]
    public async Task A_chunk_without_entities_has_a_job_without_objects()
    {
        var line = SampleLine.Create();
        (line["entities"], line["relationships"]) = (new JsonArray(), new JsonArray());

        await ImportAsync(line);

        Assert.Equal(0, await ScalarAsync<int>("select objects_created from kb.object_extraction_jobs"));
    }

    [Fact]
    public async Task What_the_parser_lets_through_PostgreSQL_can_store()
    {
        var line = SampleLine.Create();
        var longest = string.Concat(Enumerable.Range(0, 300).Select(i => (char)(0x4E00 + (i * 37 % 20_000))));
        line.Entity()["type"] = longest;
        line.Entity()["businessKey"] = longest;
        line.Relationship()["type"] = longest;
        line.Entity(1)["name"] = "😀 \u0001 \uFFFF \" \\ '";
        line.Entity(1)["properties"] = JsonNode.Parse("""{"a": 1e300, "b": -1.5e-300, "": [null, true, {"c": "d"}]}""");

        Assert.Equal(1, (await ImportAsync(line)).Added);
    }

    [Fact]
    public async Task Progress_ends_at_the_length_of_the_file()
    {
        var path = Path.GetTempFileName();
        await File.WriteAllLinesAsync(path, Lines.Select(l => l.ToJsonString()), Cancellation);
        var progress = new List<ImportProgress>();

        var options = new ImportOptions { LinesPerBatch = 10 };

        await NewImport().ImportFileAsync(path, "o", options, progress.Add, Cancellation);

        var length = new FileInfo(path).Length;
        File.Delete(path);
        Assert.Equal(new ImportProgress(60, length, length), progress[^1]);
        Assert.Equal(progress.OrderBy(p => p.Bytes), progress);
        Assert.Equal(7, progress.Count);
    }

    [Fact]
    public async Task A_cancelled_import_leaves_whole_batches()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(Text(Lines)));
        var options = new ImportOptions { LinesPerBatch = 10 };

        void Cancel(ImportProgress progress)
        {
            if (progress.Lines == 20)
            {
                cancellation.Cancel();
            }
        }

        var import = NewImport().ImportAsync(input, "o", options, Cancel, cancellation.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => import);

        Assert.Equal(20, await ScalarAsync<long>("select count(*) from kb.chunks"));
        Assert.Equal(40, await ScalarAsync<long>("select count(*) from kb.graph_objects"));
    }
}
