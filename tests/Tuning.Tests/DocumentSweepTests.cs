using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>What the five-minute sweep does about documents, beside real trainings.</summary>
public sealed class DocumentSweepTests(PostgresFixture postgres)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_deletion_in_the_product_marks_the_model_by_itself()
    {
        await using var world = await World.StartAsync(postgres);
        var rows = new KnowledgeRows(world.Rows.Database);
        var scope = await world.AddScopeAsync(isProject: true);
        var document = await rows.AddDocumentAsync(scope.ProjectId!.Value);
        var run = await world.AddExportedRunAsync(scope);
        await AddExampleAsync(world, run, document);
        await world.TrainAsync(run);
        await world.FinishJobAsync(run);
        await world.PollAsync(run);
        Assert.Null((await world.FindModelAsync(run))!.TaintedSince);

        await world.Rows.ExecuteAsync($"delete from kb.documents where id = '{document}'", Stop);
        await world.SweepAsync();

        Assert.Equal(
            "it has learnt from a document that the product has deleted", (await world.FindModelAsync(run))!.TaintReason);
        Assert.Equal(0, await world.Rows.ScalarAsync<long>("select count(*) from ml.deleted_documents", Stop));
    }

    [Fact]
    public async Task A_forgetting_that_waits_for_a_tuning_job_is_completed_by_the_sweep()
    {
        await using var world = await World.StartAsync(postgres);
        var rows = new KnowledgeRows(world.Rows.Database);
        var scope = await world.AddScopeAsync(isProject: true);
        var document = await rows.AddDocumentAsync(scope.ProjectId!.Value);
        var run = await world.AddExportedRunAsync(scope);
        await AddExampleAsync(world, run, document);
        await world.TrainAsync(run);
        var forgetting = new DocumentForgetting(world.Rows.Database, world.Store, new Failpoints(), TimeProvider.System);
        await forgetting.RecordAsync(document, scope, "tester", "asked for", Stop);

        var waiting = await forgetting.ContinueAsync(document, Stop);
        Assert.Matches("^run .* reads the file$", waiting.WaitsFor);
        await world.FinishJobAsync(run);
        await world.PollAsync(run);
        await world.Clock.AdvanceAsync(TimeSpan.FromMinutes(5), Stop);
        await world.SweepAsync();

        Assert.NotNull(await world.Rows.ScalarAsync<object>(
            "select completed_at from ml.forgotten_documents where waits_for is null", Stop));
        Assert.Equal(0, await world.Rows.ScalarAsync<long>("select count(*) from ml.dataset_examples", Stop));
        Assert.Equal(
            "it has learnt from a document that was forgotten", (await world.FindModelAsync(run))!.TaintReason);
        Assert.DoesNotContain(world.Store.Names, name => name.Contains("/attempts/", StringComparison.Ordinal));
    }

    // The lines of this world are of no document: as an example that cannot be read they go with the first one that is
    // forgotten.
    private static Task AddExampleAsync(World world, RunId run, Guid document) => world.Rows.ExecuteAsync(
        $"""
        insert into ml.dataset_examples (
            dataset_id, organization_id, job_id, chunk_id, document_id, split, content_hash)
        select d.id, d.organization_id, gen_random_uuid(), gen_random_uuid(), '{document}', 'train', sha256('x')
        from   ml.datasets d
        where  d.run_id = '{run}'
        """,
        Stop);
}
