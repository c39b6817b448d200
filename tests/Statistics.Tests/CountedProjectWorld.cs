using FeedbackLoop.Testing;

namespace FeedbackLoop.Statistics.Tests;

/// <summary>A project with one extraction, and the statistics over it.</summary>
internal sealed class CountedProjectWorld : IAsyncDisposable
{
    private CountedProjectWorld(TestDatabase database)
    {
        Database = database;
        Rows = new KnowledgeRows(database.Database);
        Fold = new StatisticsFold(database.Database);
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
        foreach (var level in Figures.Levels)
        {
            var statistics = await Reader.ReadProjectAsync(Organization, project, Figures.LevelOf(level), Stop);
            Assert.Equal(
                await Figures.FromRowsAsync(Database, Organization, project, level, Stop), Figures.Of(statistics!));
            Assert.Equal(0, statistics!.PendingChanges);
        }
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
