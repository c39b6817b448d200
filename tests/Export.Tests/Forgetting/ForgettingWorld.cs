using System.Text;
using Dapper;
using FeedbackLoop.Datasets;
using FeedbackLoop.Examples;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Local.CloudStorage;
using FeedbackLoop.Pii;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Export.Tests.Forgetting;

/// <summary>
/// A project with texts to train on, a bucket over HTTP, and one document whose text, names and descriptions have a
/// word that nothing else has.
/// </summary>
internal sealed class ForgettingWorld : IAsyncDisposable
{
    public const string Canary = "Quetzalmarmot";
    public const string Actor = "cli:tester";
    public const double TestShare = 0.1;

    /// <summary>With this seed the document trains where nothing is held out, and validates with the other.</summary>
    public const long TrainSeed = 1;
    public const long ValidationSeed = 2;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("forgetting-");

    private ForgettingWorld(TestDatabase database) => (Database, Rows) = (database, new KnowledgeRows(database.Database));

    public TestDatabase Database { get; }

    public KnowledgeRows Rows { get; }

    public CloudStorageServer Storage { get; private set; } = null!; // set by StartAsync, like the rest

    public IDatasetStore Store { get; private set; } = null!;

    public Failpoints Failpoints { get; } = new();

    public Scope Organization { get; private set; }

    public Scope Project { get; private set; }

    /// <summary>Held out, where documents are.</summary>
    public Guid Document { get; private set; }

    public Guid Chunk { get; private set; }

    public Guid Object { get; private set; }

    public DocumentForgetting Forgetting => new(Database.Database, Store, Failpoints, TimeProvider.System);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<ForgettingWorld> StartAsync(PostgresFixture postgres)
    {
        var world = new ForgettingWorld(await postgres.CreateDatabaseAsync(Stop));
        world.Storage = await CloudStorageServer.StartAsync(
            new() { DataDirectory = Path.Combine(world._directory.FullName, "storage") }, Stop);
        var service = GcsDatasetStore.CreateService(world.Storage.Address, credential: null);
        await service.Buckets.Insert(new() { Name = "datasets" }, "project").ExecuteAsync(Stop);
        world.Store = new GcsDatasetStore(service, "datasets");
        var organization = await world.Rows.AddOrganizationAsync();
        var project = await world.Rows.AddProjectAsync(organization);
        (world.Organization, world.Project) = (new(organization, null), new(organization, project));
        await world.Rows.AddTrainingTextsAsync(
            project, Enumerable.Range(0, 40).Select(i => $"The Ledger {i} books payments."), TrainSeed, ValidationSeed);
        await world.AddDocumentAsync();
        return world;
    }

    /// <summary>Datasets in a folder instead, as an installation without Cloud Storage has them.</summary>
    public void UseFolder() => Store = new DirectoryDatasetStore(Path.Combine(_directory.FullName, "folder"));

    /// <summary>A run with its dataset, as the export's step leaves it.</summary>
    public async Task<RunId> ExportAsync(
        Scope scope, long seed = TrainSeed, double testShare = 0, string purpose = RunPurpose.Export)
    {
        var criteria = new ExportCriteria { Seed = seed, ValidationShare = 0.2, MinExamples = 1 };
        await using var db = await Database.Database.OpenConnectionAsync(Stop);
        var outcome = await db.RequestRunAsync(
            new RunRequest(
                scope, purpose, RunTrigger.Manual, "tester", RunParameters.Default with { Export = criteria }, Key: null),
            TimeProvider.System.GetUtcNow(), Stop);
        var id = Assert.IsType<RunRequestOutcome.Accepted>(outcome).RunId;
        var claim = (await db.ClaimRunAsync(
            id, [RunState.Requested], RunState.Exporting, TimeSpan.FromMinutes(2), TimeSpan.FromHours(1), Stop))!;
        var exporter = new DatasetExporter(
            Database.Database, new PiiScanner(), new TokenCounter(), new Failpoints(), Options.Create(new VerificationOptions()));
        var dataset = Guid.CreateVersion7();
        await using var tx = await db.BeginTransactionAsync(Stop);
        var origins = new OriginWriter(db, dataset, scope.OrganizationId);
        var folder = scope.DatasetFolder(claim.Version, claim.Epoch);
        var exported = Assert.IsType<ExportResult.Exported>(await exporter.ExportAsync(
            scope, criteria, testShare, ContributorShare.Off, minExamples: 1, Store, folder, (_, _) => Task.CompletedTask,
            origins.AddAsync, Stop));
        await origins.FlushAsync(Stop);
        await db.InsertDatasetAsync(
            Dataset.Of(dataset, id, scope, Store.UriOf(folder), exported), seed, exported.Content.SnapshotAt,
            Encoding.UTF8.GetString(exported.Content.ToJson()), TimeProvider.System.GetUtcNow(), Stop);
        Assert.True(purpose == RunPurpose.Export
            ? await db.MarkExportSucceededAsync(claim, dataset, "{}", Stop)
            : await db.MarkExportedAsync(claim, dataset, 1, "{}", TimeSpan.FromHours(24), Stop));
        await tx.CommitAsync(Stop);
        return id;
    }

    /// <summary>A training that is over, with its model, and the copy of the file that its tuning job read.</summary>
    /// <param name="parent">The model that it goes on from.</param>
    public async Task<RunId> TrainAsync(
        Scope scope, RunId? parent = null, long seed = TrainSeed, double testShare = 0, string status = "ready")
    {
        var run = await ExportAsync(scope, seed, testShare, RunPurpose.Training);
        await AddAttemptAsync(run, "created");
        await AddModelAsync(run, parent);
        await ArrangeAsync(
            $"""
            update ml.tuning_attempts set job_ended_at = now() where run_id = '{run}';
            update ml.training_runs set state = 'succeeded', model_id = id, ended_at = now() where id = '{run}';
            update ml.fine_tuned_models
            set    status = '{status}', vertex_model = '{run}', vertex_endpoint = '{run}', training_completed_at = now()
            where  id = '{run}'
            """);
        return run;
    }

    /// <summary>The row of a model, as the step that records a tuning job adds it.</summary>
    public async Task AddModelAsync(RunId run, RunId? parent = null)
    {
        var dataset = await FindDatasetAsync(run);
        await using var db = await Database.Database.OpenConnectionAsync(Stop);
        await using var tx = await db.BeginTransactionAsync(Stop);
        await db.InsertModelAsync(
            new NewModel(
                run, new Scope(dataset.OrganizationId, dataset.ProjectId), "gemini-3.1-flash-lite", parent, $"jobs/{run}",
                dataset.PromptHash, dataset.Id, dataset.TrainUri, dataset.TrainExamples, dataset.ValidationExamples),
            Stop);
        await tx.CommitAsync(Stop);
    }

    /// <summary>An attempt in some state, with its copy of the file.</summary>
    public async Task AddAttemptAsync(RunId run, string state)
    {
        var dataset = await FindDatasetAsync(run);
        var name = DatasetUri.NameIn(Store, dataset.Uri).TrimEnd('/') + "/attempts/1/train.jsonl";
        var copy = await Store.CopyAsync(
            DatasetUri.NameIn(Store, dataset.TrainUri), dataset.TrainGeneration, name, Stop);
        var job = state == "created" ? $"'jobs/{run}'" : "null";
        await ArrangeAsync(
            $"""
            insert into ml.tuning_attempts (
                run_id, organization_id, attempt, state, vertex_parent, run_label, dataset_uri, dataset_generation, base_model,
                request_sha256, sent_at, token_expires_at, quiet_until, next_check_at, tuning_job)
            select id, organization_id, 1, '{state}', 'projects/p/locations/l', 'run', '{copy.Uri}', {copy.Generation}, 'gemini',
                   repeat('0', 64), now(), now(), now() + interval '2 hours', now(), {job}
            from   ml.training_runs
            where  id = '{run}'
            """);
    }

    public async Task<Dataset> FindDatasetAsync(RunId run)
    {
        await using var db = await Database.Admin.OpenConnectionAsync(Stop);
        var id = await db.QuerySingleAsync<Guid>(
            "select dataset_id from ml.training_runs where id = @run", new { run });
        return (await db.FindDatasetAsync(id, Stop))!;
    }

    public async Task<string> ReadAsync(string uri)
    {
        await using var content = await Store.OpenReadAsync(DatasetUri.NameIn(Store, uri), generation: null, Stop);
        return await new StreamReader(content).ReadToEndAsync(Stop);
    }

    /// <summary>Records and goes on, as the command does.</summary>
    public async Task<ForgottenDocument> ForgetAsync()
    {
        await Forgetting.RecordAsync(Document, Project, Actor, "asked for", Stop);
        return await Forgetting.ContinueAsync(Document, Stop);
    }

    /// <summary>
    /// Where a word stands: files by their names, and tables of <c>ml</c>, of which every column is looked at.
    /// </summary>
    public async Task<IReadOnlyList<string>> FindWordAsync(string word = Canary)
    {
        var found = new List<string>();
        await foreach (var name in Store.ListAsync("", Stop))
        {
            if ((await ReadAsync(Store.UriOf(name))).Contains(word, StringComparison.Ordinal))
            {
                found.Add(name);
            }
        }

        // What no object names, as an upload that was given up, lies on the disk as well.
        foreach (var file in _directory.EnumerateFiles("*", SearchOption.AllDirectories))
        {
            if ((await File.ReadAllTextAsync(file.FullName, Stop)).Contains(word, StringComparison.Ordinal))
            {
                found.Add($"disk:{file.Name}");
            }
        }

        await using var db = await Database.Admin.OpenConnectionAsync(Stop);
        foreach (var table in await db.QueryAsync<string>(
            "select relname::text from pg_class where relnamespace = 'ml'::regnamespace and relkind = 'r'"))
        {
            if (await db.ExecuteScalarAsync<long>(
                $"select count(*) from ml.{table} t where t::text like @pattern", new { pattern = $"%{word}%" }) > 0)
            {
                found.Add($"ml.{table}");
            }
        }

        return found;
    }

    /// <summary>Every object there is, with what is in it.</summary>
    public async Task<IReadOnlyDictionary<string, string>> ReadAllAsync()
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var name in Store.ListAsync("", Stop))
        {
            files.Add(name, await ReadAsync(Store.UriOf(name)));
        }

        return files;
    }

    public async Task<IReadOnlyList<string>> ListAsync(string sql)
    {
        await using var db = await Database.Admin.OpenConnectionAsync(Stop);
        return (await db.QueryAsync<string>(sql)).AsList();
    }

    /// <summary>Rows that no step would write, past triggers and foreign keys.</summary>
    public Task ArrangeAsync(string sql) => Database.ExecuteAsync(
        $"begin; set local session_replication_role = replica; {sql}; commit", Stop);

    public async ValueTask DisposeAsync()
    {
        await Storage.DisposeAsync();
        await Database.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    // Held out with a share of a tenth; where nothing is held out, on a side that the seed decides.
    private async Task AddDocumentAsync()
    {
        var id = Guid.NewGuid();
        while (DocumentSplit.SideOf(TrainSeed, id, TestShare, 0.2) != DocumentSplit.Test
            || DocumentSplit.SideOf(TrainSeed, id, 0, 0.2) != DocumentSplit.Train
            || DocumentSplit.SideOf(ValidationSeed, id, 0, 0.2) != DocumentSplit.Validation)
        {
            id = Guid.NewGuid();
        }

        Document = await Rows.AddDocumentAsync(Project.ProjectId!.Value, id);
        for (var i = 0; i < 2; i++)
        {
            Chunk = await Rows.AddChunkAsync(Document, $"The {Canary} {i} keeps the secrets of part {i}.");
            var job = await Rows.AddJobAsync(Project.ProjectId.Value, Chunk, Document);
            Object = await Rows.AddObjectAsync(Project.ProjectId.Value, new()
            {
                JobId = job,
                Name = $"{Canary} {i}",
                Description = $"A {Canary} that keeps the secrets of a part.",
            });
        }
    }
}
