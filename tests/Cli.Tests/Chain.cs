using Dapper;
using FeedbackLoop.Knowledge.Import;
using FeedbackLoop.Local;
using FeedbackLoop.Local.PubSub;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Cli;

/// <summary>The whole chain over the sample, with quick jobs and a sweep that never rests.</summary>
internal sealed class Chain : IAsyncDisposable
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(250);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cli-tests-");
    private readonly CancellationTokenSource _stop = new();
    private Task _ticks = Task.CompletedTask;

    private Chain(TestDatabase database) => (Database, Rows) = (database, new TrainingRows(database));

    public TestDatabase Database { get; }

    public TrainingRows Rows { get; }

    public LocalChain Local { get; private set; } = null!;  // set by StartAsync

    public Guid Organization { get; private set; }

    /// <summary>The project with the most extractions.</summary>
    public Guid Project { get; private set; }

    /// <summary>What a command on this chain finds in its environment: the functions' own settings.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; private set; } = new Dictionary<string, string?>();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<Chain> StartAsync(PostgresFixture postgres, bool withSample = true)
    {
        var chain = new Chain(await postgres.CreateDatabaseAsync(Cancellation));
        if (withSample)
        {
            var report = await new KnowledgeImport(chain.Database.Database, TimeProvider.System).ImportFileAsync(
                SampleFile, "Halvorsund Group", new ImportOptions(), null, Cancellation);
            chain.Organization = report.OrganizationId;
            chain.Project = await chain.FindLargestProjectAsync()
                ?? throw new InvalidOperationException("the sample has projects");
        }

        chain.Local = await LocalChain.StartAsync(
            new()
            {
                ConnectionString = chain.Database.ConnectionString,
                ApiConnectionString = chain.Database.ApiConnectionString,
                DataDirectory = chain._directory.FullName,
                PubSub = new PubSubOptions { BackoffScale = 0.01 },
                JobPending = TimeSpan.FromMilliseconds(20),
                JobRunning = TimeSpan.FromMilliseconds(50),
                Settings = new Dictionary<string, string?>
                {
                    ["Tuning:PollDelays:0"] = "00:00:00.100",
                    ["Tuning:PollDelays:1"] = "00:00:00.100",
                    ["Tuning:PollDelays:2"] = "00:00:00.100",
                    ["Tuning:PollDelays:3"] = "00:00:00.100",
                    ["Export:ProgressInterval"] = "00:00:00.050",
                },
            },
            Cancellation);
        chain.Environment = chain.Local.Settings.ToDictionary(
            setting => setting.Key.Replace(":", "__", StringComparison.Ordinal), setting => setting.Value);
        chain._ticks = chain.TickAsync();
        return chain;
    }

    public static string SampleFile => Path.Combine(AppContext.BaseDirectory, "sample.jsonl");

    public Task<CommandResult> RunAsync(params string[] args) => FeedbackloopProcess.RunAsync(Environment, "", args);

    public async Task<Guid?> FindLargestProjectAsync()
    {
        const string sql =
            """
            select   p.id
            from     kb.projects p
            join     kb.object_extraction_jobs j on j.project_id = p.id
            group by p.id
            order by count(*) desc, p.id
            limit    1
            """;

        await using var db = await Database.Admin.OpenConnectionAsync(Cancellation);
        return await db.QuerySingleOrDefaultAsync<Guid?>(new CommandDefinition(sql, cancellationToken: Cancellation));
    }

    /// <summary>Lets the chain extract one more chunk of a project, and a person accept all that it finds.</summary>
    public async Task ExtractAndAcceptAsync(Guid project)
    {
        var job = await Database.ScalarAsync<Guid>(
            $"""
            with document as (
                insert into kb.documents (project_id, filename) values ('{project}', 'new.txt') returning id
            ),
            chunk as (
                insert into kb.chunks (document_id, chunk_index, text)
                select n.id, 0, (select c.text
                                 from   kb.chunks c
                                 join   kb.documents d on d.id = c.document_id and d.project_id = '{project}'
                                 order  by length(c.text) desc, c.id
                                 limit  1)
                from   document n
                returning id, document_id
            )
            insert into kb.object_extraction_jobs (project_id, document_id, chunk_id)
            select '{project}', document_id, id from chunk
            returning id
            """,
            Cancellation);
        await Local.RequestExtractionAsync(job, Cancellation);
        await Patience.UntilAsync(
            () => Database.ScalarAsync<bool>(
                $"select completed_at is not null from kb.object_extraction_jobs where id = '{job}'", Cancellation),
            () => $"job {job} does not end");
        await Database.ExecuteAsync(
            $"""
            update kb.graph_objects
            set    reviewed_by = gen_random_uuid(), reviewed_at = now(), status = 'accepted', needs_review = false
            where  extraction_job_id = '{job}'
            """,
            Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _ticks;
        await Local.DisposeAsync();
        await Database.DisposeAsync();
        _stop.Dispose();
        _directory.Delete(recursive: true);
    }

    private async Task TickAsync()
    {
        try
        {
            using var timer = new PeriodicTimer(TickInterval);
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                await Local.TickAsync(_stop.Token);
            }
        }
        catch (Exception e) when (_stop.IsCancellationRequested && e is OperationCanceledException or Grpc.Core.RpcException)
        {
            // The end of the test.
        }
    }
}
