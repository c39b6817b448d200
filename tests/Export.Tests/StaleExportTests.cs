using System.Net;
using System.Security.Cryptography;
using System.Text;
using FeedbackLoop.Datasets;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Local;
using FeedbackLoop.Local.CloudStorage;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using FeedbackLoop.Tuning;
using Google.Apis.Storage.v1;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.Export.Tests;

/// <summary>
/// Two workers on one export, because the first one stood still for longer than its lease: what the second one recorded
/// stays as it is, whatever the first one does when it goes on.
/// </summary>
public sealed class StaleExportTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Bucket = "datasets";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("stale-export-");
    private readonly RecordingPublisher _published = new();
    private readonly Failpoints _failpoints = new();
    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private TestDatabase _database = null!;  // xunit initializes these before each test
    private CloudStorageServer _storage = null!;
    private StorageService _service = null!;
    private PushIssuer _issuer = null!;
    private KnowledgeRows _rows = null!;
    private Guid _organization;
    private Guid _project;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _storage = await CloudStorageServer.StartAsync(new() { DataDirectory = _directory.FullName }, Cancellation);
        _service = GcsDatasetStore.CreateService(_storage.Address, credential: null);
        await _service.Buckets.Insert(new() { Name = Bucket }, "project").ExecuteAsync(Cancellation);
        _rows = new KnowledgeRows(_database.Database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
        _issuer = await PushIssuer.StartAsync(Cancellation);
        _http.DefaultRequestHeaders.Authorization = _issuer.Authorization;
        await _rows.AddExamplesAsync(_project, 60);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _service.Dispose();
        await _issuer.DisposeAsync();
        await _storage.DisposeAsync();
        await _database.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(Failpoint.ExportClaimed)]
    [InlineData(Failpoint.TrainFileStored)]
    [InlineData(Failpoint.MetadataStored)]
    public async Task A_worker_that_wakes_after_its_successor_has_recorded_touches_nothing_of_it(string failpoint)
    {
        await using var function = await StartAsync(isPaused: true);
        var id = await RequestAsync();
        var (reached, go) = StopFirstAt(failpoint);
        var first = PushAsync(function, id);
        await ReachAsync(reached, first);
        await _database.Clock.AdvanceAsync(TimeSpan.FromMinutes(31), Cancellation);
        await ChangeDataAsync();

        Assert.Equal(HttpStatusCode.OK, await PushAsync(function, id));
        var recorded = await FindAsync(id);
        Assert.Equal(RunState.Exported, recorded.State);
        var attempt = await CopyForTuningAsync(id);
        await ChangeDataAsync();
        go.SetResult();
        await first;

        Assert.Equal((await DatasetAsync(id)).TrainSha256, await HashAsync(attempt));
        Assert.Equal(recorded with { IsOverdue = false }, await FindAsync(id) with { IsOverdue = false });
        Assert.Equal(1, await _database.ScalarAsync<long>("select count(*) from ml.datasets", Cancellation));
        await AssertFilesAsync(id);
    }

    [Fact]
    public async Task Two_workers_that_record_at_once_leave_one_dataset_with_its_files()
    {
        await using var function = await StartAsync(isPaused: true);
        var id = await RequestAsync();
        var (reached, go) = StopFirstAt(Failpoint.MetadataStored);
        var first = PushAsync(function, id);
        await ReachAsync(reached, first);
        await _database.Clock.AdvanceAsync(TimeSpan.FromMinutes(31), Cancellation);
        var (secondReached, secondGoes) = StopFirstAt(Failpoint.MetadataStored);
        var second = PushAsync(function, id);
        await ReachAsync(secondReached, second);

        go.SetResult();
        secondGoes.SetResult();
        await Task.WhenAll(first, second);

        Assert.Equal(RunState.Exported, (await FindAsync(id)).State);
        Assert.Equal(1, await _database.ScalarAsync<long>("select count(*) from ml.datasets", Cancellation));
        await AssertFilesAsync(id);
    }

    [Fact]
    public async Task What_a_worker_stored_before_it_died_is_written_down_and_what_is_recorded_is_not()
    {
        await using var function = await StartAsync(isPaused: true);
        var id = await RequestAsync();
        var (reached, go) = StopFirstAt(Failpoint.MetadataStored);
        var dead = PushAsync(function, id);
        await ReachAsync(reached, dead);
        Assert.Equal($"gs://{Bucket}/{FolderOf(await FindAsync(id), 1)}", await UnrecordedAsync());
        await _database.Clock.AdvanceAsync(TimeSpan.FromMinutes(31), Cancellation);

        Assert.Equal(HttpStatusCode.OK, await PushAsync(function, id));

        Assert.Equal($"gs://{Bucket}/{FolderOf(await FindAsync(id), 1)}", await UnrecordedAsync());
        Assert.EndsWith("/e2/", (await DatasetAsync(id)).Uri, StringComparison.Ordinal);
        await AssertFilesAsync(id);
        go.SetResult();
        await dead;
    }

    [Fact]
    public async Task The_lease_is_kept_while_the_last_bytes_are_on_their_way()
    {
        await using var function = await StartAsync(isPaused: false);
        var id = await RequestAsync();
        var (reached, go) = StopFirstAt(Failpoint.MetadataStored);
        var push = PushAsync(function, id);
        await ReachAsync(reached, push);

        await WaitForBeatsAsync(id);

        go.SetResult();
        Assert.Equal(HttpStatusCode.OK, await push);
        Assert.Equal(RunState.Exported, (await FindAsync(id)).State);
    }

    [Theory]
    [InlineData("kb.object_extraction_jobs")] // it is counted and sorted
    [InlineData("ml.dataset_examples")] // origins are inserted
    [InlineData("ml.datasets")] // the dataset is recorded
    public async Task The_lease_is_kept_while_the_database_lets_it_wait(string table)
    {
        await using var function = await StartAsync(isPaused: false);
        var id = await RequestAsync();
        await using var other = await _database.Admin.OpenConnectionAsync(Cancellation);
        await using var tx = await other.BeginTransactionAsync(Cancellation);
        await using (var command = other.CreateCommand())
        {
            command.CommandText = $"lock table {table} in access exclusive mode";
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        var push = PushAsync(function, id);
        await WaitForBeatsAsync(id);

        await tx.RollbackAsync(Cancellation);
        Assert.Equal(HttpStatusCode.OK, await push);
        Assert.Equal(RunState.Exported, (await FindAsync(id)).State);
        await AssertFilesAsync(id);
    }

    /// <param name="isPaused">The worker does not look at its lease before it is at its end, as a stopped machine would
    /// not.</param>
    private Task<FunctionHost> StartAsync(bool isPaused) => FunctionHost.StartAsync(
        "ExportFunction",
        new Dictionary<string, string?>(_issuer.Settings)
        {
            ["Database:ConnectionString"] = _database.ConnectionString,
            ["GoogleCloud:ProjectId"] = "project",
            ["GoogleCloud:Location"] = "us-central1",
            ["GoogleCloud:Bucket"] = Bucket,
            ["GoogleCloud:Environment"] = "test",
            ["GoogleCloud:TuningServiceAccount"] = "tuning@project.iam.gserviceaccount.com",
            ["GoogleCloud:StorageAddress"] = _storage.Address.ToString(),
            ["Export:Lease"] = isPaused ? "00:30:00" : "00:02:00",
            ["Export:ProgressInterval"] = isPaused ? "00:10:00" : "00:00:00.010",
        },
        new TestStartup(_published, _failpoints),
        _ => { },
        Cancellation);

    /// <summary>The next worker that comes to a failpoint stands still there; the ones after it go on.</summary>
    private (Task Reached, TaskCompletionSource Go) StopFirstAt(string failpoint)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var armed = 1;
        _failpoints.Handler = name =>
        {
            if (name != failpoint || Interlocked.Exchange(ref armed, 0) == 0)
            {
                return Task.CompletedTask;
            }

            reached.SetResult();
            return go.Task;
        };
        return (reached.Task, go);
    }

    private static async Task ReachAsync(Task reached, Task<HttpStatusCode> push)
    {
        if (await Task.WhenAny(reached, push).WithPatience() == push)
        {
            Assert.Fail($"the worker did not come to the failpoint and answered {await push}");
        }
    }

    // Whoever exports anew writes other bytes.
    private Task ChangeDataAsync() => _database.ExecuteAsync(
        """
        update kb.graph_objects
        set    properties = jsonb_set(properties, '{description}', to_jsonb('Corrected by a reviewer, now ' || md5(random()::text)))
        """,
        Cancellation);

    private async Task WaitForBeatsAsync(RunId id)
    {
        var seen = new HashSet<string>();
        await Patience.UntilAsync(
            async () =>
            {
                seen.Add(await _database.ScalarAsync<string>(
                    $"select coalesce(lease_until::text, '') from ml.training_runs where id = '{id}'", Cancellation));
                return seen.Count(lease => lease.Length > 0) >= 5;
            },
            () => $"the lease was not prolonged: {string.Join(", ", seen)}");
    }

    /// <summary>
    /// Each file that the dataset names is there with the recorded hash, and its metadata is of the same export.
    /// </summary>
    private async Task AssertFilesAsync(RunId id)
    {
        var dataset = await DatasetAsync(id);
        Assert.Equal(dataset.TrainSha256, await HashAsync(dataset.TrainUri));
        var recorded = await _database.ScalarAsync<string>("select statistics::text from ml.datasets", Cancellation);
        var stored = Encoding.UTF8.GetString(await ReadAsync(dataset.Uri + "metadata.json"));
        Assert.Equal(
            DatasetMetadata.FromJson(recorded).Files.OrderBy(file => file.Key),
            DatasetMetadata.FromJson(stored).Files.OrderBy(file => file.Key));
    }

    /// <summary>As the next step does it before its call.</summary>
    private async Task<string> CopyForTuningAsync(RunId id)
    {
        var dataset = await DatasetAsync(id);
        var copy = await new GcsDatasetStore(_service, Bucket).CopyAsync(
            DatasetUri.NameOf(dataset.TrainUri), dataset.TrainGeneration,
            TuningRequest.AttemptFile(DatasetUri.NameOf(dataset.Uri), []), Cancellation);
        return copy.Uri;
    }

    private async Task<string> HashAsync(string uri) => Convert.ToHexStringLower(SHA256.HashData(await ReadAsync(uri)));

    private async Task<byte[]> ReadAsync(string uri)
    {
        await using var content = await new GcsDatasetStore(_service, Bucket).OpenReadAsync(DatasetUri.NameOf(uri), generation: null, Cancellation);
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes, Cancellation);
        return bytes.ToArray();
    }

    private static string FolderOf(Run run, int epoch) => run.Scope.DatasetFolder(run.Version, epoch);

    private Task<string> UnrecordedAsync() =>
        _database.ScalarAsync<string>("select string_agg(uri, ' ' order by uri) from ml.unrecorded_exports", Cancellation);

    private async Task<Dataset> DatasetAsync(RunId id)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        return Assert.IsType<Dataset>(await db.FindDatasetAsync((await FindAsync(id)).DatasetId!.Value, Cancellation)); // exported
    }

    private async Task<RunId> RequestAsync()
    {
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        var outcome = await db.RequestRunAsync(
            new RunRequest(
                new Scope(_organization, _project), RunPurpose.Training, RunTrigger.Manual, "test", RunParameters.Default,
                Key: null),
            TimeProvider.System.GetUtcNow(), Cancellation);
        return Assert.IsType<RunRequestOutcome.Accepted>(outcome).RunId;
    }

    private async Task<Run> FindAsync(RunId id)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        return Assert.IsType<Run>(await db.FindRunAsync(id, Cancellation));
    }

    private async Task<HttpStatusCode> PushAsync(FunctionHost function, RunId id)
    {
        var data = Convert.ToBase64String(Encoding.UTF8.GetBytes($$"""{"runId":"{{id}}"}"""));
        var body =
            $$"""
            {"message":{"data":"{{data}}","messageId":"17","attributes":{"message":"export-requested"},
             "publishTime":"2026-11-25T12:00:00Z"},"subscription":"s"}
            """;
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var response = await _http.PostAsync(
            new Uri(function.Address, "projects/project/topics/export-requested"), content, Cancellation);
        return response.StatusCode;
    }

    private sealed class TestStartup(RecordingPublisher publisher, Failpoints failpoints) : FunctionsStartup
    {
        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            services.AddSingleton<IMessagePublisher>(publisher).AddSingleton(failpoints);
    }
}
