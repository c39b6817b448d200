using Dapper;
using EvolveDb;
using FeedbackLoop.Datasets;
using FeedbackLoop.Local;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>
/// The migrations by an ordinary role that owns the database, as in a deployment. On a cluster of their own, because the two
/// groups belong to the cluster and some of these tests take them away.
/// </summary>
public sealed class OwnerTests(OwnerTests.Cluster cluster) : IClassFixture<OwnerTests.Cluster>, IAsyncLifetime
{
    private const string Database = "product";
    private const string Owner = OrdinaryOwner.Name;
    private const string RunFirst = "Run first, as an administrator of the server: ";

    private readonly NpgsqlDataSource _admin =
        NpgsqlDataSource.Create(cluster.Postgres.ConnectionString(Database) + ";Pooling=false");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await cluster.Postgres.CreateDatabaseAsync(Database, template: null, Stop);
        KnowledgeSchema.Migrate(_admin.ConnectionString, _ => { });
        await OrdinaryOwner.TakeOverAsync(_admin, Database, Stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        await cluster.Postgres.DropDatabaseAsync(Database, CancellationToken.None);
    }

    [Fact]
    public async Task An_ordinary_owner_migrates_and_the_catalogue_has_no_finding()
    {
        Assert.True(Migrate() >= 4);
        Assert.Equal(0, Migrate());

        await using var db = await _admin.OpenConnectionAsync(Stop);
        Assert.Empty(await CatalogueLint.RunAsync(db, Stop));
        Assert.Equal(Owner, await ScalarAsync<string>(
            _admin, "select relowner::regrole::text from pg_class where oid = 'ml.training_runs'::regclass"));
    }

    [Fact]
    public async Task The_chain_works_on_tables_of_an_ordinary_owner()
    {
        Migrate();
        await using var app = NpgsqlDataSource.Create(cluster.Postgres.ConnectionString(Database, "app"));
        await using var db = await app.OpenConnectionAsync(Stop);
        var published = new RecordingPublisher();
        var relay = new OutboxRelay(app, published, new Failpoints(), TimeProvider.System);
        var scope = new Scope(await ScalarAsync<Guid>(app, "insert into kb.orgs (name) values ('o') returning id"), null);

        var run = await RequestAsync(db, scope);
        var dataset = await ExportAsync(db, run);
        await TuneAsync(db, run, dataset);

        Assert.Equal(RunState.Succeeded, (await db.FindRunAsync(run, Stop))?.State);
        Assert.Equal(ModelStatus.Ready, (await db.FindModelAsync(run, Stop))?.Status);
        Assert.Equal(2, await relay.SendPendingAsync(10, Stop));
        Assert.Equal([Topics.ExportRequested, Topics.DatasetExported], published.Topics);
        await KeepRejectedMessageAsync(app);

        // Backfills of later migrations go by this: the owner sees every row, without naming an organization.
        await using var owner = NpgsqlDataSource.Create(OwnerConnection);
        Assert.Equal(1, await ScalarAsync<long>(owner, "select count(*) from ml.dataset_examples"));
    }

    [Fact]
    public async Task Without_the_groups_and_the_right_to_create_them_the_migration_says_what_to_run_first()
    {
        await ExecuteAsync("drop role ml_api; drop role ml_worker");

        var refused = Refused();

        Assert.Equal($"the role ml_api does not exist, and {Owner} may not create it", refused.MessageText);
        await ExecuteAsync(refused.Hint![RunFirst.Length..]);
        Assert.Equal(FilesFromV0005, Migrate()); // the refused file, and those after it
    }

    [Fact]
    public async Task An_owner_who_may_create_roles_makes_the_groups()
    {
        await ExecuteAsync($"drop role ml_api; drop role ml_worker; alter role {Owner} createrole");

        Migrate();

        Assert.Equal(2, await ScalarAsync<long>(
            _admin, "select count(*) from pg_roles where rolname in ('ml_api', 'ml_worker') and not rolcanlogin"));
    }

    [Fact]
    public async Task A_group_that_passes_row_security_is_refused()
    {
        await ExecuteAsync("alter role ml_api bypassrls");

        var refused = Refused();

        Assert.Equal("ml_api or ml_worker can pass row security", refused.MessageText);
        await ExecuteAsync(refused.Hint![RunFirst.Length..]);
        Assert.Equal(FilesFromV0005, Migrate()); // the refused file, and those after it
    }

    private static int FilesFromV0005 => typeof(Migrator).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("migrations.ml.", StringComparison.Ordinal))
        .Count(name => string.CompareOrdinal(name, "migrations.ml.V0005") >= 0);

    private string OwnerConnection => cluster.Postgres.ConnectionString(Database, Owner) + ";Pooling=false";

    private int Migrate() => Migrator.Migrate(OwnerConnection, _ => { });

    private PostgresException Refused() =>
        Assert.IsType<PostgresException>(Assert.ThrowsAny<EvolveException>(() => Migrate()).GetBaseException());

    private static async Task<RunId> RequestAsync(NpgsqlConnection db, Scope scope)
    {
        var request = new RunRequest(
            scope, RunPurpose.Training, RunTrigger.Manual, "tester", RunParameters.Default,
            new IdempotencyKey("key", new byte[32]));
        var outcome = await db.RequestRunAsync(request, TimeProvider.System.GetUtcNow(), Stop);
        return Assert.IsType<RunRequestOutcome.Accepted>(outcome).RunId;
    }

    private static async Task<Dataset> ExportAsync(NpgsqlConnection db, RunId run)
    {
        var now = TimeProvider.System.GetUtcNow();
        var claim = await ClaimAsync(db, run, RunState.Requested, RunState.Exporting);
        var hash = new string('a', 64);
        var dataset = new Dataset(
            Guid.CreateVersion7(now), claim.OrganizationId, null, run, "gs://b/v1/", hash, "gs://b/v1/train.jsonl", 1, hash,
            1, 1, ValidationUri: null, ValidationGeneration: null, ValidationSha256: null, ValidationBytes: null, 0,
            TestUri: null, TestGeneration: null, TestSha256: null, TestBytes: null, 0, 1);

        await using var tx = await db.BeginTransactionAsync(Stop);
        var origins = new OriginWriter(db, dataset.Id, claim.OrganizationId);
        await origins.AddAsync(
            new ExampleOrigin(Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), "train", new byte[32]), Stop);
        await origins.FlushAsync(Stop);
        await db.InsertDatasetAsync(dataset, seed: 1, now, "{}", now, Stop);
        Assert.True(await db.MarkExportedAsync(claim, dataset.Id, 1, "{}", TimeSpan.FromHours(1), Stop));
        await db.AddMessageAsync(
            run, Topics.DatasetExported, new DatasetExported(run), MessageJson.Default.DatasetExported, Stop);
        await tx.CommitAsync(Stop);
        return dataset;
    }

    private static async Task TuneAsync(NpgsqlConnection db, RunId run, Dataset dataset)
    {
        const string job = "projects/p/locations/l/tuningJobs/1";
        var now = TimeProvider.System.GetUtcNow();
        var claim = await ClaimAsync(db, run, RunState.Exported, RunState.Exported);
        Assert.True(await db.MarkCreatingAsync(claim, TimeSpan.FromMinutes(1), Stop));
        await db.InsertAttemptAsync(
            new TuningIntent(
                run, dataset.OrganizationId, 1, "projects/p/locations/l", "run", "gs://b/v1/attempt-1.jsonl", 1,
                new TuningPlan("model", null), 0, new string('a', 64), now.AddSeconds(300))
            { ListedFrom = now },
            TimeSpan.FromHours(2), Stop);
        Assert.True(await db.MarkCreatedAsync(run, 1, job, Stop));
        Assert.True(await db.MarkTuningAsync(run, TimeSpan.Zero, TimeSpan.FromHours(1), Stop));
        Assert.Contains(run, (await db.TakeDuePollsAsync(10, TimeSpan.FromMinutes(1), Stop)).Select(due => due.Id));

        Assert.True(await db.MarkJobEndedAsync(run, 1, Stop));
        claim = await ClaimAsync(db, run, RunState.Tuning, RunState.Evaluating);
        await using var tx = await db.BeginTransactionAsync(Stop);
        await db.InsertModelAsync(
            new NewModel(run, claim.Scope, "model", null, job, new string('a', 64), dataset.Id, dataset.TrainUri, 1, 0), Stop);
        Assert.True(await db.RegisterResultAsync(
            run, new TunedResult("model", "endpoint", "[]", "{}", now, now), Stop));
        Assert.IsType<PromotionOutcome.Promoted>(await db.PromoteAsync(run, Stop));
        Assert.True(await db.MarkSucceededAsync(claim, reason: null, Stop));
        await tx.CommitAsync(Stop);
    }

    private static async Task<Run> ClaimAsync(NpgsqlConnection db, RunId run, string from, string to) =>
        await db.ClaimRunAsync(run, [from], to, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), Stop)
            ?? throw new InvalidOperationException($"run {run} is not {from}");

    // Twice: the second delivery counts on the first one's row.
    private static async Task KeepRejectedMessageAsync(NpgsqlDataSource app)
    {
        var runner = new StepRunner(app, NullLogger<StepRunner>.Instance);
        for (var delivery = 0; delivery < 2; delivery++)
        {
            await runner.RunAsync<ExportRequested>(
                step: null!, push: null, Topics.ExportRequested, MessageJson.Default.ExportRequested, Stop);
        }

        Assert.Equal(2, await ScalarAsync<int>(app, "select deliveries from ml.rejected_messages"));
    }

    private Task ExecuteAsync(string sql) => ExecuteAsync(_admin, sql);

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var db = await database.OpenConnectionAsync(Stop);
        await db.ExecuteAsync(Sql.Command(sql, null, Stop));
    }

    private static async Task<T> ScalarAsync<T>(NpgsqlDataSource database, string sql)
    {
        await using var db = await database.OpenConnectionAsync(Stop);
        return await db.QuerySingleAsync<T>(Sql.Command(sql, null, Stop));
    }

    public sealed class Cluster : IAsyncLifetime
    {
        public LocalPostgres Postgres { get; private set; } = null!;  // xunit initializes it before the first test

        public async ValueTask InitializeAsync() =>
            Postgres = await LocalPostgres.StartAsync(new LocalPostgresOptions(), CancellationToken.None);

        public ValueTask DisposeAsync() => Postgres.DisposeAsync();
    }
}
