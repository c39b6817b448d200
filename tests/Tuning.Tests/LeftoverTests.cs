using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>What exports left behind is deleted, and nothing that counts or may still count.</summary>
public sealed class LeftoverTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly TimeSpan LongAgo = TimeSpan.FromHours(2.1);

    private World _world = null!;  // xunit initializes it before each test

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Files_of_a_claim_that_was_overtaken_go_and_those_of_the_one_that_recorded_stay()
    {
        var run = await AddOvertakenAsync();
        var recorded = await _world.FindDatasetAsync(run);
        await _world.Clock.AdvanceAsync(LongAgo, Stop);

        await _world.SweepAsync();
        await _world.SweepAsync();

        Assert.Equal([DatasetUri.NameOf(recorded.TrainUri)], _world.Store.Names);
        Assert.Equal(0, await CountAsync());
    }

    [Fact]
    public async Task What_began_a_short_time_ago_stays_because_its_worker_may_still_be_storing()
    {
        await AddOvertakenAsync();
        var names = _world.Store.Names;
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(1.9), Stop);

        await _world.SweepAsync();

        Assert.Equal(names, _world.Store.Names);
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    public async Task A_claim_that_can_still_record_keeps_its_files_however_old_it_is()
    {
        var claim = await ClaimAsync();
        await StoreAsync(claim);
        await _world.Clock.AdvanceAsync(TimeSpan.FromDays(3), Stop);

        await DeleteAsync();
        Assert.Equal(4, _world.Store.Names.Count);

        await using (var db = await _world.Rows.Database.OpenConnectionAsync(Stop))
        {
            Assert.True(await db.MoveAsync(claim, RunState.Failed, "it broke off", TimeSpan.Zero, Stop));
        }

        await DeleteAsync();
        Assert.Empty(_world.Store.Names);
    }

    [Theory]
    [InlineData("uri = uri")]
    [InlineData("uri = 'gs://datasets/elsewhere/'")] // its files alone are named
    public async Task What_a_dataset_names_is_never_deleted_whatever_the_list_says(string change)
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        var dataset = await _world.FindDatasetAsync(run);
        await InsertAsync(await _world.FindAsync(run) with { Epoch = 0 }, dataset.Uri);
        await _world.Rows.ExecuteAsync($"update ml.datasets set {change}", Stop);
        await _world.Clock.AdvanceAsync(LongAgo, Stop);

        await DeleteAsync();

        Assert.Equal([DatasetUri.NameOf(dataset.TrainUri)], _world.Store.Names);
    }

    [Fact]
    public async Task What_an_attempt_names_is_never_deleted_whatever_the_list_says()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);
        var attempt = Assert.Single(await _world.AttemptsAsync(run));
        var folder = attempt.DatasetUri[..(attempt.DatasetUri.LastIndexOf('/') + 1)];
        await InsertAsync(await _world.FindAsync(run) with { Epoch = 0 }, folder);
        await _world.Clock.AdvanceAsync(LongAgo, Stop);

        await DeleteAsync();

        Assert.Contains(DatasetUri.NameOf(attempt.DatasetUri), _world.Store.Names);
    }

    [Fact]
    public async Task A_file_that_cannot_be_deleted_keeps_nobody_waiting_and_is_tried_again()
    {
        var first = await AddOvertakenAsync();
        var second = await AddOvertakenAsync();
        var held = $"{(await _world.FindAsync(first)).Scope.DatasetFolder(1, 0)}test.jsonl";
        _world.Store.Undeletable = held;
        await _world.Clock.AdvanceAsync(LongAgo, Stop);

        var failures = new List<Exception>();
        Assert.Equal(1, await _world.Leftovers().DeleteAsync(failures, Stop));
        Assert.Equal([$"{held} is held"], failures.Select(failure => failure.Message));
        Assert.Equal(
            $"{first}: {held} is held",
            await _world.Rows.ScalarAsync<string>(
                "select string_agg(run_id || ': ' || last_error, ', ') from ml.unrecorded_exports", Stop));
        Assert.Equal(0, await _world.Leftovers().DeleteAsync(failures, Stop));

        _world.Store.Undeletable = null;
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(1), Stop);
        await DeleteAsync();

        string[] recorded = [(await _world.FindDatasetAsync(first)).TrainUri, (await _world.FindDatasetAsync(second)).TrainUri];
        Assert.Equal(recorded.Select(DatasetUri.NameOf).Order(StringComparer.Ordinal), _world.Store.Names);
        Assert.Equal(0, await CountAsync());
    }

    private async Task DeleteAsync()
    {
        var failures = new List<Exception>();
        await _world.Leftovers().DeleteAsync(failures, Stop);
        Assert.Empty(failures);
    }

    /// <summary>A run that a second claim has recorded the dataset of, and the files of the first one.</summary>
    private async Task<RunId> AddOvertakenAsync()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await StoreAsync(await _world.FindAsync(run) with { Epoch = 0, Version = 1 });
        return run;
    }

    private async Task<Run> ClaimAsync()
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        var requested = await db.RequestRunAsync(
            new RunRequest(
                await _world.AddScopeAsync(), RunPurpose.Training, RunTrigger.Manual, "tester", RunParameters.Default, Key: null),
            TimeProvider.System.GetUtcNow(), Stop);
        var claim = await db.ClaimRunAsync(
            Assert.IsType<RunRequestOutcome.Accepted>(requested).RunId, [RunState.Requested], RunState.Exporting,
            TimeSpan.FromMinutes(2), TimeSpan.FromHours(1), Stop);
        return Assert.IsType<Run>(claim);
    }

    private async Task StoreAsync(Run claim)
    {
        var folder = claim.Scope.DatasetFolder(claim.Version, claim.Epoch);
        await InsertAsync(claim, _world.Store.UriOf(folder));
        foreach (var file in DatasetFiles.All)
        {
            _world.Store.Put(folder + file, "{}");
        }
    }

    private async Task InsertAsync(Run claim, string uri)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        await db.InsertUnrecordedExportAsync(claim, uri, Stop);
    }

    private Task<long> CountAsync() =>
        _world.Rows.ScalarAsync<long>("select count(*) from ml.unrecorded_exports", Stop);
}
