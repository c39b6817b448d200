using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>The operator's approval of a training that is dearer than usual.</summary>
public sealed class ApproveTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;  // xunit initializes these before each test
    private TrainingRows _rows = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _rows = new TrainingRows(_database);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task A_run_that_waits_is_shown_with_its_sum_and_goes_on_when_it_is_approved()
    {
        var run = await AddWaitingRunAsync();

        var shown = await RunAsync("training-status", $"{run}");
        var watched = await RunAsync("training-status", $"{run}", "--watch");
        var approved = await RunAsync("approve", $"{run}", "--reason", "the new corpus", "--json");
        var again = await RunAsync("approve", $"{run}");

        Assert.Matches(
            $@"Waits for +an approval of 81\.32 USD, until \d{{4}}-\d\d-\d\d .*Z; feedbackloop approve\s+{run}", shown.Output);
        Assert.Equal(3, watched.ExitCode);
        Assert.Equal(
            (0, "exported", 81.32m),
            (approved.ExitCode, approved.Json.GetProperty("state").GetString(),
                approved.Json.GetProperty("approvedUsd").GetDecimal()));
        Assert.Equal(
            (3, $"error: run {run} is exported and waits for no approval\nSee: feedbackloop training-status {run}\n"),
            (again.ExitCode, again.Error));
        Assert.EndsWith(
            $" | approve-training | run {run} | 81.32 USD: the new corpus", (await _rows.AuditAsync())[^1], StringComparison.Ordinal);
        Assert.StartsWith("cli:", await _database.ScalarAsync<string>(
            "select approved_by from ml.training_runs", Cancellation), StringComparison.Ordinal);
        Assert.Equal("dataset-exported", await _database.ScalarAsync<string>(
            "select topic from ml.outbox order by id desc limit 1", Cancellation));
    }

    [Fact]
    public async Task A_run_that_is_not_there_is_not_approved()
    {
        var refused = await RunAsync("approve", $"{Guid.NewGuid()}");

        Assert.Equal(3, refused.ExitCode);
        Assert.StartsWith("error: there is no run ", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_eleventh_training_of_a_day_is_refused_with_the_figures()
    {
        var scope = await _rows.AddOrganizationAsync();
        for (var i = 0; i < 10; i++)
        {
            await _rows.EndAsync(await _rows.AddRunAsync(scope), "quota");
        }

        var environment = FeedbackloopProcess.Environment(_database.ConnectionString);
        environment["GoogleCloud__Location"] = "us-central1";
        var refused = await FeedbackloopProcess.RunAsync(
            environment, "", "train-general-model", "--organization", $"{scope.OrganizationId}", "--json");

        Assert.Equal(3, refused.ExitCode);
        Assert.StartsWith(
            "10 trainings have begun within 24 hours, and 10 may; the next one may begin at ",
            refused.Json.GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.Equal(10L, await _database.ScalarAsync<long>("select count(*) from ml.training_runs", Cancellation));
    }

    private async Task<RunId> AddWaitingRunAsync()
    {
        var run = await _rows.AddRunAsync(await _rows.AddOrganizationAsync());
        await _database.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            update ml.training_runs
            set    state = 'awaiting_approval', reason = 'dear', approval_asked_usd = 81.32, dataset_id = gen_random_uuid(),
                   deadline_at = clock_timestamp() + interval '7 days'
            where  id = '{run}';
            set session_replication_role = default
            """,
            Cancellation);
        return run;
    }

    private Task<CommandResult> RunAsync(params string[] args) =>
        FeedbackloopProcess.RunAsync(_database.ConnectionString, "", args);
}
