using FeedbackLoop.Lineage;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Export.Tests.Forgetting;

/// <summary>Models that have learnt from what was forgotten, or deleted by the product.</summary>
public sealed class TaintTests(PostgresFixture postgres)
{
    private const string Forgotten = "it has learnt from a document that was forgotten";
    private const string Deleted = "it has learnt from a document that the product has deleted";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_forgotten_document_marks_what_learnt_from_it_and_what_stands_on_top()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var general = await world.TrainAsync(world.Organization);
        await MakeDocumentOtherAsync(world);
        var project = await world.TrainAsync(world.Project, general);

        await world.ForgetAsync();

        Assert.Equal((Forgotten, $"it is tuned on top of model {general}, which is tainted"),
            (await ReasonAsync(world, general), await ReasonAsync(world, project)));
    }

    [Theory]
    [InlineData(ForgettingWorld.TrainSeed, Forgotten)]
    [InlineData(ForgettingWorld.ValidationSeed, Forgotten)]
    public async Task Examples_that_train_and_that_validate_teach(long seed, string reason)
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var model = await world.TrainAsync(world.Project, seed: seed);

        await world.ForgetAsync();

        Assert.Equal(reason, await ReasonAsync(world, model));
    }

    [Fact]
    public async Task A_held_out_document_taints_nothing_and_is_removed_all_the_same()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var model = await world.TrainAsync(world.Project, testShare: ForgettingWorld.TestShare);
        await world.ArrangeAsync(
            $$"""
            insert into ml.evaluation_answers (
                model_id, organization_id, compared_with, position, score, latency_ms, input_tokens, output_tokens, created_at)
            select '{{model}}', '{{world.Organization.OrganizationId}}', 'self', n,
                   jsonb_build_object('documentId', case n when 0 then '{{world.Document}}'::uuid else gen_random_uuid() end), 1, 1, 1,
                   now()
            from   generate_series(0, 1) n
            """);

        await world.ForgetAsync();

        Assert.Equal("", await ReasonAsync(world, model));
        Assert.Empty(await world.FindWordAsync());
        Assert.Equal(["1"], await world.ListAsync("select position::text from ml.evaluation_answers"));
    }

    [Fact]
    public async Task A_document_that_the_product_deletes_marks_models_with_the_next_look()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var general = await world.TrainAsync(world.Organization);
        var project = await world.TrainAsync(world.Project, general, testShare: ForgettingWorld.TestShare);

        await DeleteDocumentAsync(world);
        var marked = await MarkAsync(world);
        var again = await MarkAsync(world);

        Assert.Equal((new(1, 1), default), (marked, again));
        Assert.Equal((Deleted, $"it is tuned on top of model {general}, which is tainted"),
            (await ReasonAsync(world, general), await ReasonAsync(world, project)));
    }

    [Fact]
    public async Task A_project_that_the_product_deletes_marks_the_general_model()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var general = await world.TrainAsync(world.Organization);

        await world.Database.ExecuteAsync($"delete from kb.projects where id = '{world.Project.ProjectId}'", Stop);
        var marked = await MarkAsync(world);

        Assert.Equal(new DeletedDocumentsMarked(2, 1), marked);
        Assert.Equal(Deleted, await ReasonAsync(world, general));
    }

    [Fact]
    public async Task A_model_that_begins_after_the_look_is_marked_as_it_begins()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var run = await world.ExportAsync(world.Project, purpose: RunPurpose.Training);
        await DeleteDocumentAsync(world);
        Assert.Equal(new DeletedDocumentsMarked(1, 0), await MarkAsync(world));

        await world.AddModelAsync(run);

        Assert.Equal(Deleted, await ReasonAsync(world, run));
    }

    [Fact]
    public async Task A_note_of_a_document_that_is_there_marks_nothing()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var model = await world.TrainAsync(world.Project);

        // Anybody who may write to the database at all may write such a note.
        await world.Database.ExecuteAsync(
            $"insert into ml.deleted_documents (document_id, at) values ('{world.Document}', now())", Stop);
        var marked = await MarkAsync(world);

        Assert.Equal(new DeletedDocumentsMarked(1, 0), marked);
        Assert.Equal("", await ReasonAsync(world, model));
    }

    [Fact]
    public async Task Deletions_are_looked_at_so_many_at_a_time()
    {
        await using var world = await ForgettingWorld.StartAsync(postgres);
        var model = await world.TrainAsync(world.Project);
        await world.Database.ExecuteAsync(
            "insert into ml.deleted_documents (document_id, at) select gen_random_uuid(), now() from generate_series(1, 25)", Stop);
        await DeleteDocumentAsync(world);

        await using var db = await world.Database.Database.OpenConnectionAsync(Stop);
        var looks = new List<DeletedDocumentsMarked>();
        for (var i = 0; i < 4; i++)
        {
            looks.Add(await db.MarkDeletedAsync(limit: 10, Stop));
        }

        Assert.Equal([new(10, 0), new(10, 0), new(6, 1), default], looks);
        Assert.Equal(Deleted, await ReasonAsync(world, model));
    }

    private static async Task<DeletedDocumentsMarked> MarkAsync(ForgettingWorld world)
    {
        await using var db = await world.Database.Database.OpenConnectionAsync(Stop);
        return await db.MarkDeletedAsync(limit: 100, Stop);
    }

    // As the product does it: jobs name documents by a key without a cascade.
    private static Task DeleteDocumentAsync(ForgettingWorld world) => world.Database.ExecuteAsync(
        $"""
        update kb.object_extraction_jobs set document_id = null where document_id = '{world.Document}';
        delete from kb.documents where id = '{world.Document}'
        """,
        Stop);

    // The project's own dataset has none of its examples: what taints the project's model is its parent alone.
    private static Task MakeDocumentOtherAsync(ForgettingWorld world) => world.Database.ExecuteAsync(
        $"""
        update kb.graph_objects
        set    status = 'draft', reviewed_by = null, actor_type = 'system'
        where  extraction_job_id in (select id from kb.object_extraction_jobs where document_id = '{world.Document}')
        """,
        Stop);

    private static Task<string> ReasonAsync(ForgettingWorld world, RunId model) => world.Database.ScalarAsync<string>(
        $"select coalesce(taint_reason, '') from ml.fine_tuned_models where id = '{model}'", Stop);
}
