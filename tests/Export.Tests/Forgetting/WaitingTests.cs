using FeedbackLoop.Datasets;
using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Export.Tests.Forgetting;

/// <summary>A document that is forgotten while others are at its files, or on the way to make some.</summary>
public sealed class WaitingTests(PostgresFixture postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("tuning", "created", "run {0}: tuning job jobs/{0} reads the file")]
    [InlineData("cancelling", "created", "run {0}: tuning job jobs/{0} reads the file")]
    [InlineData("creating", "sending", "run {0}: attempt 1 may make a tuning job of the file")]
    [InlineData("create_unknown", "unknown", "run {0}: attempt 1 may make a tuning job of the file")]
    [InlineData(
        "needs_operator", "unknown",
        "run {0}: nobody knows whether attempt 1 made a tuning job; the run needs an operator")]
    [InlineData("evaluating", null, "run {0} asks its model about the held-out file")]
    public async Task Files_that_are_read_wait_and_the_rest_goes_on(string state, string? attempt, string wait)
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var other = await world.ExportAsync(world.Organization);
        var run = await world.ExportAsync(world.Project, purpose: RunPurpose.Training);
        if (attempt is not null)
        {
            await world.AddAttemptAsync(run, attempt);
        }

        await world.ArrangeAsync(
            $"""
            update ml.training_runs set state = '{state}', ends_as = 'cancelled', next_poll_at = now() where id = '{run}'
            """);
        var before = await world.FindDatasetAsync(run);

        var waiting = await world.ForgetAsync();

        Assert.Equal((false, 1, string.Format(null, wait, run)), (waiting.IsComplete, waiting.Rewritten, waiting.WaitsFor));
        Assert.Equal(before, await world.FindDatasetAsync(run));
        Assert.DoesNotContain(
            ForgettingWorld.Canary, await world.ReadAsync((await world.FindDatasetAsync(other)).TrainUri), StringComparison.Ordinal);

        // And when it is over, a repeat completes it.
        await world.ArrangeAsync(
            $"""
            update ml.tuning_attempts
            set    state = case state when 'created' then state else 'rejected' end, job_ended_at = now()
            where  run_id = '{run}';
            update ml.training_runs set state = 'failed', reason = 'a test', ended_at = now() where id = '{run}'
            """);
        Assert.True((await world.ForgetAsync()).IsComplete);
        Assert.Empty(await world.FindWordAsync());
    }

    [Fact]
    public async Task A_worker_that_has_copied_the_old_file_loses_its_claim()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var id = await world.ExportAsync(world.Project, purpose: RunPurpose.Training);
        await using var db = await world.Database.Database.OpenConnectionAsync(Stop);
        var claim = (await db.ClaimRunAsync(
            id, [RunState.Exported], to: null, TimeSpan.FromMinutes(2), TimeSpan.FromHours(1), Stop))!;
        var dataset = await world.FindDatasetAsync(id);
        await world.Store.CopyAsync(
            DatasetUri.NameIn(world.Store, dataset.TrainUri), dataset.TrainGeneration,
            DatasetUri.NameIn(world.Store, dataset.Uri) + "attempts/1/train.jsonl", Stop);

        var waiting = await world.ForgetAsync();

        Assert.False(await db.MarkCreatingAsync(claim, TimeSpan.FromMinutes(2), Stop));
        Assert.Equal($"run {id} is exported, and began before the document was forgotten", waiting.WaitsFor);
        await world.ArrangeAsync(
            $"update ml.training_runs set state = 'failed', reason = 'a test', ended_at = now() where id = '{id}'");
        Assert.True((await world.Forgetting.ContinueAsync(world.Document, Stop)).IsComplete);
        Assert.Empty(await world.FindWordAsync());
    }

    [Fact]
    public async Task The_next_claim_trains_without_the_document()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var id = await world.ExportAsync(world.Project, purpose: RunPurpose.Training);

        await world.ForgetAsync();

        await using var db = await world.Database.Database.OpenConnectionAsync(Stop);
        Assert.NotNull(await db.ClaimRunAsync(
            id, [RunState.Exported], to: null, TimeSpan.FromMinutes(2), TimeSpan.FromHours(1), Stop));
        var dataset = await world.FindDatasetAsync(id);
        var copy = await world.Store.CopyAsync(
            DatasetUri.NameIn(world.Store, dataset.TrainUri), dataset.TrainGeneration, "copy/train.jsonl", Stop);
        Assert.Equal(dataset.TrainBytes, copy.Bytes);
        await world.AddModelAsync(id);
        Assert.Equal(["0"], await world.ListAsync("select count(*)::text from ml.fine_tuned_models where tainted_since is not null"));
    }

    [Fact]
    public async Task An_export_that_read_before_is_refused_when_it_records()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var first = await world.ExportAsync(world.Project);
        await world.ForgetAsync();

        // What an export would commit that had read the document before.
        var refused = await Assert.ThrowsAsync<PostgresException>(() => world.Database.ExecuteAsync(
            $$"""
            begin;
            insert into ml.dataset_examples (
                dataset_id, organization_id, job_id, chunk_id, document_id, split, content_hash)
            values ('{{first}}', '{{world.Organization.OrganizationId}}', gen_random_uuid(), gen_random_uuid(),
                    '{{world.Document}}', 'test', sha256('x'));
            insert into ml.datasets
            select (jsonb_populate_record(d, '{"id": "{{first}}"}')).*
            from   ml.datasets d
            where  d.run_id = '{{first}}'
            """,
            Stop));

        Assert.Equal(DatasetQueries.NoForgottenDocument, refused.ConstraintName);
    }

    [Fact]
    public async Task A_later_export_leaves_the_document_out_and_counts_it()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        await world.ForgetAsync();

        var run = await world.ExportAsync(world.Organization, testShare: ForgettingWorld.TestShare);

        Assert.Empty(await world.FindWordAsync());
        Assert.Equal(["2"], await world.ListAsync(
            $"select statistics->'excluded'->>'forgotten' from ml.datasets where run_id = '{run}'"));
    }

    [Fact]
    public async Task Two_at_once_take_turns()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        await world.ExportAsync(world.Project);
        ForgottenDocument? second = null;
        world.Failpoints.Handler = async name =>
        {
            if (name == ForgettingPoint.FileWritten)
            {
                world.Failpoints.Handler = null;
                second = await world.Forgetting.ContinueAsync(world.Document, Stop);
            }
        };

        var first = await world.ForgetAsync();

        Assert.True(first.IsComplete);
        Assert.Equal("another worker forgets documents of this organization", second?.WaitsFor);
    }
}
