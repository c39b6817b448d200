using FeedbackLoop.Testing;

namespace FeedbackLoop.Statistics.Tests;

/// <summary>A project with one extraction, and the statistics over it.</summary>
internal sealed class CountedProjectWorld : IAsyncDisposable
{
    private CountedProjectWorld(TestDatabase database)
    {
        Database = database;
        Rows = new KnowledgeRows(database.Database);
        Fold = new StatisticsFold(database.Database, CountingRules.Default);
        Reader = new StatisticsReader(database.Database, Fold);
    }

    public TestDatabase Database { get; }

    public KnowledgeRows Rows { get; }

    public StatisticsFold Fold { get; }

    public StatisticsReader Reader { get; }

    public Guid Organization { get; private set; }

    public Guid Project { get; private set; }

    public Guid Document { get; private set; }

    public Guid Chunk { get; private set; }

    public Guid Job { get; private set; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The project is counted, so that everything that follows is folded.</summary>
    public static async Task<CountedProjectWorld> CreateAsync(PostgresFixture postgres)
    {
        var world = new CountedProjectWorld(await postgres.CreateDatabaseAsync(Stop));
        world.Organization = await world.Rows.AddOrganizationAsync();
        world.Project = await world.Rows.AddProjectAsync(world.Organization);
        world.Document = await world.Rows.AddDocumentAsync(world.Project);
        world.Chunk = await world.Rows.AddChunkAsync(world.Document, "The Ledger books payments.");
        world.Job = await world.Rows.AddJobAsync(world.Project, world.Chunk);
        await world.Fold.FoldAllAsync(world.Project, int.MaxValue, Stop);
        return world;
    }

    /// <summary>A version of an object of the extraction.</summary>
    public Task<Guid> AddAsync(ObjectRow row) => Rows.AddObjectAsync(Project, row with { JobId = row.JobId ?? Job });

    /// <summary>What <c>ExtractFunction</c> records: the extraction was answered by a tuned model of ours, or by a base model.</summary>
    public async Task AddResultAsync(Guid jobId, bool isTuned)
    {
        var model = Guid.NewGuid();
        await ExecuteAsync(
            $"""
            set session_replication_role = replica;
            insert into ml.fine_tuned_models (
                id, organization_id, project_id, model_type, version, base_model, tuning_job, prompt_hash, dataset_id,
                training_dataset_uri, training_examples, validation_examples, created_at, updated_at)
            values (
                '{model}', '{Organization}', '{Project}', 'project', 1 + (random() * 1000000)::int, 'gemini', '{model}',
                repeat('0', 64), gen_random_uuid(), 'gs://d', 1, 1, now(), now());
            set session_replication_role = origin
            """);
        await ExecuteAsync(
            $"""
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_reason, answered_tier, answered_model_id,
                prompt_hash, latency_ms, is_valid, created_at)
            values (
                gen_random_uuid(), '{Organization}', '{Project}', '{jobId}', 'project', 'test', 'project',
                {(isTuned ? $"'{model}'" : "null")}, repeat('0', 64), 1, true, now())
            """);
    }

    /// <summary>A person confirms that the extraction's text holds nothing.</summary>
    public Task ConfirmEmptyAsync(Guid jobId) => ExecuteAsync(
        $"insert into ml.confirmed_empty values ('{jobId}', '{Organization}', '{Project}', 'somebody', now())");

    public Task ExecuteAsync(string sql) => Database.ExecuteAsync(sql, Stop);

    public async Task<TrainingStatistics> ReadAsync(int hundredths = 85) =>
        await Reader.ReadProjectAsync(Organization, Project, Figures.LevelOf(hundredths), Stop)
        ?? throw new InvalidOperationException("the project is gone");

    /// <summary>Reads, and holds the figures against the rows at every threshold.</summary>
    public async Task<TrainingStatistics> ReadExactAsync()
    {
        await AssertExactAsync(Project);
        return await ReadAsync();
    }

    public async Task AssertExactAsync(Guid project)
    {
        foreach (var criteria in Figures.Levels)
        {
            var statistics = await Reader.ReadProjectAsync(Organization, project, VerificationLevel.Of(criteria), Stop);
            Assert.Equal(
                await Figures.FromRowsAsync(Database, Organization, project, criteria, Stop), Figures.Of(statistics!));
            Assert.Equal(0, statistics!.PendingChanges);
        }
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
