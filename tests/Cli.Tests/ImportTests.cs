using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

public sealed class ImportTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string LineOnTwoLines =
        """
        {"project":"banking","documentId":"d1","chunkId":"d1#0","text":"Ledger Core keeps every balance of the bank.",
        "entities":[{"id":"e0","name":"Ledger Core","type":"System","start":0,"end":11}],"relationships":[]}
        """;

    private static readonly string Line = LineOnTwoLines.Replace("\n", "", StringComparison.Ordinal) + "\n";

    private TestDatabase _database = null!;  // xunit initializes it before each test

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await postgres.CreateDatabaseAsync(Cancellation);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task A_file_goes_in_and_the_second_time_nothing_changes()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Line + Line.Replace("d1#0", "d1#1", StringComparison.Ordinal), Cancellation);

        var first = await RunAsync("", file, "--organization", "Halvorsund");
        var second = await RunAsync("", file, "--organization", "Halvorsund");

        File.Delete(file);
        Assert.Equal((0, ""), (first.ExitCode, first.Error));
        Assert.Matches(@"^2 lines in [\d.]+ s: 2 added, 0 unchanged, 0 different, 0 broken\.\n", first.Output);
        Assert.Contains("New: 1 documents, 2 objects, 0 relationships", first.Output, StringComparison.Ordinal);
        Assert.Matches(@"^2 lines in [\d.]+ s: 0 added, 2 unchanged, 0 different, 0 broken\.\n$", second.Output);
        Assert.Equal("Halvorsund", await _database.ScalarAsync<string>("select name from kb.orgs", Cancellation));
    }

    [Fact]
    public async Task A_machine_gets_one_object()
    {
        var result = await RunAsync(Line, "-", "--reviewed-share", "1", "--rejected-share", "0", "--json");

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            (1, 1, 1, 0),
            (Number("lines"), Number("added"), Number("reviewed"), Number("broken")));
        Assert.Equal(
            await _database.ScalarAsync<Guid>("select id from kb.orgs", Cancellation),
            result.Json.GetProperty("organizationId").GetGuid());

        long Number(string name) => result.Json.GetProperty(name).GetInt64();
    }

    [Fact]
    public async Task Texts_with_nothing_to_find_are_counted_when_the_file_is_annotated()
    {
        var start = Line.IndexOf("\"entities\":[", StringComparison.Ordinal);
        var empty = string.Concat(Line.AsSpan(0, start), "\"entities\":[],\"relationships\":[]}\n");
        var two = empty + empty.Replace("d1#0", "d1#1", StringComparison.Ordinal);

        var declared = await RunAsync(two, "-", "--annotated");
        var machine = await RunAsync(two, "-", "--annotated", "--organization", "Other", "--json");
        var silent = await RunAsync(two, "-", "--organization", "Third");

        Assert.EndsWith("\n2 texts with nothing to find.\n", declared.Output, StringComparison.Ordinal);
        Assert.Equal(2, machine.Json.GetProperty("nothingToFind").GetInt64());
        Assert.DoesNotContain("nothing to find", silent.Output, StringComparison.Ordinal);
        Assert.Equal(4, await _database.ScalarAsync<long>("select count(*) from ml.confirmed_empty", Cancellation));
    }

    [Fact]
    public async Task Broken_lines_are_named_and_the_others_go_in()
    {
        var result = await RunAsync("{}\n" + Line + "oops\n", "-");

        Assert.Equal(3, result.ExitCode);
        Assert.Equal("line 1 (broken): project is missing\nline 3 (broken): not JSON, at byte 1\n", result.Error);
        Assert.Equal(1, await _database.ScalarAsync<long>("select count(*) from kb.graph_objects", Cancellation));
    }

    [Fact]
    public async Task A_machine_gets_broken_and_different_lines_in_the_object()
    {
        await RunAsync(Line, "-");

        var result = await RunAsync(Line.Replace("every", "any", StringComparison.Ordinal) + "oops\n", "-", "--json");

        Assert.Equal(3, result.ExitCode);
        Assert.Equal(1, result.Json.GetProperty("differentLines")[0].GetProperty("line").GetInt64());
        Assert.Equal("not JSON, at byte 1", result.Json.GetProperty("brokenLines")[0].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_long_list_of_problems_is_cut_short()
    {
        var result = await RunAsync(string.Concat(Enumerable.Repeat("x\n", 130)), "-");

        Assert.EndsWith("… and 30 more that are broken\n", result.Error, StringComparison.Ordinal);
        Assert.Equal(101, result.Error.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("/nowhere/at-all.jsonl", "there is no file /nowhere/at-all.jsonl")]
    [InlineData("/", "/ is a folder")]
    public async Task A_file_that_is_not_there_exits_with_2(string file, string problem)
    {
        var result = await RunAsync("", file);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith($"error: {problem}\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Missing_tables_are_refused_with_the_command_that_makes_them()
    {
        await _database.ExecuteAsync("alter table kb.chunks drop column deleted_at", Cancellation);

        var result = await RunAsync(Line, "-");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("Run: feedbackloop migrate", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_organization_that_was_deleted_is_refused()
    {
        await RunAsync(Line, "-");
        await _database.ExecuteAsync("update kb.orgs set deleted_at = now()", Cancellation);

        var result = await RunAsync(Line, "-", "--json");

        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith(
            "The organization 'Imported'", result.Json.GetProperty("problem").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_option_wins_over_the_environment()
    {
        var result = await FeedbackloopProcess.RunAsync(
            "postgres://nobody@127.0.0.1:1/none", Line, "import", "-", "--database", _database.ConnectionString);

        Assert.Equal(0, result.ExitCode);
    }

    private Task<CommandResult> RunAsync(string input, params string[] args) =>
        FeedbackloopProcess.RunAsync(_database.ConnectionString, input, ["import", .. args]);
}
