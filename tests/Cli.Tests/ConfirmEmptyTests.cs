using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>A text that holds nothing, by the command line.</summary>
public sealed class ConfirmEmptyTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;  // xunit initializes these before each test
    private KnowledgeRows _rows = null!;
    private Guid _project;
    private Guid _job;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new KnowledgeRows(_database.Database);
        _project = await _rows.AddProjectAsync(await _rows.AddOrganizationAsync());
        _job = await _rows.AddJobAsync(
            _project, await _rows.AddChunkAsync(await _rows.AddDocumentAsync(_project), "A secret of the text."));
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task It_is_confirmed_and_taken_back_and_says_when_there_was_nothing_to_do()
    {
        var first = await RunAsync("--reason", "only weather");
        var second = await RunAsync();
        var undone = await RunAsync("--undo");
        var again = await RunAsync("--undo");

        Assert.Equal(
            (0, $"The text of extraction {_job} is confirmed as empty.\nTake it back: feedbackloop confirm-empty --job {_job} --undo\n"),
            (first.ExitCode, first.Output));
        Assert.Matches($"^The text of extraction {_job} was confirmed as empty before, by cli:.*\\.\n", second.Output);
        Assert.Equal((0, $"The text of extraction {_job} is no longer confirmed as empty.\n"), (undone.ExitCode, undone.Output));
        Assert.Equal((0, $"The text of extraction {_job} was not confirmed as empty.\n"), (again.ExitCode, again.Output));
        Assert.Equal(
            "confirm-empty|only weather withdraw-empty",
            await _database.ScalarAsync<string>(
                "select string_agg(concat_ws('|', action, reason), ' ' order by id) from ml.audit_log where actor like 'cli:%'",
                Cancellation));
    }

    [Fact]
    public async Task A_machine_gets_one_object()
    {
        var confirmed = (await RunAsync("--json")).Json;
        var undone = (await RunAsync("--undo", "--json")).Json;

        Assert.Equal(
            ($"{_job}", $"{_project}", true, true),
            (confirmed.GetProperty("jobId").GetString(), confirmed.GetProperty("projectId").GetString(),
                confirmed.GetProperty("isConfirmed").GetBoolean(), confirmed.GetProperty("isChanged").GetBoolean()));
        Assert.StartsWith("cli:", confirmed.GetProperty("confirmedBy").GetString(), StringComparison.Ordinal);
        Assert.False(undone.GetProperty("isConfirmed").GetBoolean());
        Assert.False(undone.TryGetProperty("confirmedBy", out _));
    }

    [Fact]
    public async Task A_refusal_has_its_number_and_no_word_of_the_text()
    {
        await _rows.AddObjectAsync(_project, new() { JobId = _job });

        var result = await RunAsync();

        Assert.Equal(3, result.ExitCode);
        Assert.Equal(
            "error: The extraction has 1 object that is not rejected. Reject what is wrong; a text with anything right in it "
            + "is not empty.\n",
            result.Error);
        Assert.DoesNotContain("secret", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_extraction_that_is_not_there_is_refused()
    {
        var result = await FeedbackloopProcess.RunAsync(
            _database.ConnectionString, "", "confirm-empty", "--job", $"{Guid.Empty}");

        Assert.Equal((3, $"error: there is no extraction job {Guid.Empty}\nCheck the id and --database.\n"),
            (result.ExitCode, result.Error));
    }

    [Fact]
    public async Task The_job_must_be_named()
    {
        var result = await FeedbackloopProcess.RunAsync(_database.ConnectionString, "", "confirm-empty");

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("--job", result.Error, StringComparison.Ordinal);
    }

    private Task<CommandResult> RunAsync(params string[] args) =>
        FeedbackloopProcess.RunAsync(_database.ConnectionString, "", ["confirm-empty", "--job", $"{_job}", .. args]);
}
