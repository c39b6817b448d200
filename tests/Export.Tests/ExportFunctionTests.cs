using System.Net;
using System.Security.Cryptography;
using System.Text;
using FeedbackLoop.Datasets;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Local;
using FeedbackLoop.Local.CloudStorage;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.Export.Tests;

/// <summary>The function as it is deployed, over HTTP: what a push does to the rows, also a wrong one.</summary>
public sealed class ExportFunctionTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Bucket = "datasets";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("export-function-");
    private readonly RecordingPublisher _published = new();
    private readonly Failpoints _failpoints = new();
    private readonly HttpClient _http = new();
    private TestDatabase _database = null!;
    private CloudStorageServer _storage = null!;
    private PushIssuer _issuer = null!;
    private FunctionHost _function = null!;
    private KnowledgeRows _rows = null!;
    private Guid _organization;
    private Guid _project;

    // Documents fall on a side by chance here: what validates beside too little that trains would be left out.
    private static readonly RunParameters NothingValidates =
        RunParameters.Default with { Export = new ExportCriteria { ValidationShare = 0 } };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        _storage = await CloudStorageServer.StartAsync(new() { DataDirectory = _directory.FullName }, Cancellation);
        using var service = GcsDatasetStore.CreateService(_storage.Address, credential: null);
        await service.Buckets.Insert(new() { Name = Bucket }, "project").ExecuteAsync(Cancellation);
        _rows = new KnowledgeRows(_database.Database);
        _organization = await _rows.AddOrganizationAsync();
        _project = await _rows.AddProjectAsync(_organization);
        _issuer = await PushIssuer.StartAsync(Cancellation);
        _http.DefaultRequestHeaders.Authorization = _issuer.Authorization;
        _function = await FunctionHost.StartAsync(
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
                ["Export:ProgressInterval"] = "00:00:00.010",
            },
            new PublisherStartup(_published, _failpoints),
            _ => { },
            Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        _storage.Faults.Allow(Bucket);
        ExportedFileOracle.AssertClean(await StoredFiles.OfBucketAsync(_storage.Address, Bucket, CancellationToken.None));
        _http.Dispose();
        await _function.DisposeAsync();
        await _issuer.DisposeAsync();
        await _storage.DisposeAsync();
        await _database.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_push_exports_the_run_and_tells_the_next_step()
    {
        await _rows.AddExamplesAsync(_project, 60);
        var id = await RequestAsync();

        Assert.Equal(HttpStatusCode.OK, await PushAsync(id));

        var run = await FindAsync(id);
        Assert.Equal(RunState.Exported, run.State);
        Assert.True(run.EstimatedCostUsd > 0);
        Assert.Equal([Topics.ExportRequested, Topics.DatasetExported], _published.Topics);
        Assert.Equal(60L, await _database.ScalarAsync<long>("select count(*) from ml.dataset_examples", Cancellation));
        Assert.Equal(
            60, await _database.ScalarAsync<int>("select (progress->>'examples')::int from ml.training_runs", Cancellation));
    }

    [Fact]
    public async Task The_row_of_a_dataset_knows_the_version_and_the_hash_of_each_file()
    {
        await _rows.AddExamplesAsync(_project, 120);
        var id = await RequestAsync(RunParameters.Default);
        await PushAsync(id);

        var run = await FindAsync(id);
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        var dataset = await db.FindDatasetAsync(run.DatasetId!.Value, Cancellation);

        Assert.NotNull(dataset);
        Assert.Equal(await StoredAsync("train.jsonl"), (dataset.TrainGeneration, dataset.TrainSha256));
        Assert.Equal(await StoredAsync("validation.jsonl"), (dataset.ValidationGeneration, dataset.ValidationSha256));
        Assert.Equal(await StoredAsync("test.jsonl"), (dataset.TestGeneration, dataset.TestSha256));

        async Task<(long? Generation, string? Sha256)> StoredAsync(string name)
        {
            using var service = GcsDatasetStore.CreateService(_storage.Address, credential: null);
            var found = await service.Objects.Get(Bucket, DatasetUri.NameOf(dataset.Uri) + name).ExecuteAsync(Cancellation);
            await using var content = await new GcsDatasetStore(service, Bucket)
                .OpenReadAsync(DatasetUri.NameOf(dataset.Uri) + name, generation: null, Cancellation);
            return (found.Generation, Convert.ToHexStringLower(await SHA256.HashDataAsync(content, Cancellation)));
        }
    }

    [Fact]
    public async Task A_second_delivery_changes_nothing_and_sends_nothing()
    {
        await _rows.AddExamplesAsync(_project, 60);
        var id = await RequestAsync();
        await PushAsync(id);
        var (before, sent) = (await FindAsync(id), _published.Messages.Count);

        Assert.Equal(HttpStatusCode.OK, await PushAsync(id));

        Assert.Equal(before, await FindAsync(id));
        Assert.Equal(sent, _published.Messages.Count);
    }

    [Fact]
    public async Task An_empty_project_is_skipped_with_a_reason()
    {
        var id = await RequestAsync();

        Assert.Equal(HttpStatusCode.OK, await PushAsync(id));

        var run = await FindAsync(id);
        Assert.Equal(
            (RunState.Skipped, $"project {_project} has no extracted objects"), (run.State, run.Reason));
    }

    [Fact]
    public async Task Too_little_data_is_skipped_with_the_numbers()
    {
        await _rows.AddExamplesAsync(_project, 12);
        var id = await RequestAsync();

        await PushAsync(id);

        var run = await FindAsync(id);
        Assert.Equal(
            (RunState.Skipped, "12 usable examples of 12 extractions, 50 needed."), (run.State, run.Reason));
        Assert.Equal(0L, await _database.ScalarAsync<long>("select count(*) from ml.dataset_examples", Cancellation));
    }

    [Theory]
    [InlineData(PiiPolicy.Allow, "allow", null, "export.pii must be exclude or redact, because the organization's floor for personal "
        + "data is redact, and is allow")]
    [InlineData(PiiPolicy.Redact, null, "exclude", "export.pii must be exclude, because the organization's floor for personal data is "
        + "exclude, and is redact")]
    public async Task A_run_from_before_the_floor_writes_no_file_below_it(
        PiiPolicy asked, string? floorThen, string? floorNow, string reason)
    {
        await _rows.AddExamplesAsync(_project, 60);
        await SetFloorAsync(floorThen);
        var id = await RequestAsync(NothingValidates with { Export = NothingValidates.Export with { Pii = asked } });
        await SetFloorAsync(floorNow);

        Assert.Equal(HttpStatusCode.OK, await PushAsync(id));

        var run = await FindAsync(id);
        Assert.Equal((RunState.Skipped, reason), (run.State, run.Reason));
        using var service = GcsDatasetStore.CreateService(_storage.Address, credential: null);
        Assert.Null((await service.Objects.List(Bucket).ExecuteAsync(Cancellation)).Items);
    }

    [Fact]
    public async Task A_bucket_that_refuses_fails_the_run_with_the_words_of_the_service()
    {
        await _rows.AddExamplesAsync(_project, 60);
        _storage.Faults.Deny(Bucket);
        var id = await RequestAsync();

        Assert.Equal(HttpStatusCode.OK, await PushAsync(id));

        var run = await FindAsync(id);
        Assert.Equal(RunState.Failed, run.State);
        Assert.Contains("403", run.Reason, StringComparison.Ordinal);
        Assert.Contains($"gs://{Bucket}/", run.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_answers_503_for_a_while_is_waited_for()
    {
        await _rows.AddExamplesAsync(_project, 60);
        _storage.Faults.Answer(StorageOperation.StartUpload, 503, 2);
        var id = await RequestAsync();

        Assert.Equal(HttpStatusCode.OK, await PushAsync(id));

        Assert.Equal(RunState.Exported, (await FindAsync(id)).State);
    }

    [Fact]
    public async Task An_export_that_keeps_breaking_off_fails_after_eight_tries()
    {
        await _rows.AddExamplesAsync(_project, 60);
        var id = await RequestAsync();
        await _database.ExecuteAsync("alter table kb.chunks rename to chunks_gone", Cancellation);

        for (var attempt = 0; attempt < 8; attempt++)
        {
            Assert.Equal(HttpStatusCode.InternalServerError, await PushAsync(id));
        }

        Assert.Equal(HttpStatusCode.OK, await PushAsync(id));
        var run = await FindAsync(id);
        Assert.Equal(RunState.Failed, run.State);
        Assert.Contains("broke off 8 times", run.Reason, StringComparison.Ordinal);
        Assert.Contains("kb.chunks", run.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_with_quotes_and_large_chunks_go_through_the_database()
    {
        await _rows.AddExamplesAsync(_project, 60);
        string[] names = ["'single'", "\"double\"", "`back`", "„deutsch“ «français»", "new\\nline", "{brace}", "日本語", "Ж́"];
        var document = await _rows.AddDocumentAsync(_project);
        var job = await _rows.AddJobAsync(
            _project, await _rows.AddChunkAsync(document, string.Join(' ', names) + new string('x', 200_000)));
        foreach (var name in names)
        {
            var text = System.Text.Json.JsonSerializer.Serialize(
                new Dictionary<string, string> { ["name"] = name, ["description"] = "A name with a quote of some kind." },
                TextJson.Default.DictionaryStringString);
            await _rows.AddObjectAsync(_project, new() { JobId = job, Properties = text });
        }

        var id = await RequestAsync();
        await PushAsync(id);

        Assert.Equal(RunState.Exported, (await FindAsync(id)).State);
        Assert.Equal(61L, await _database.ScalarAsync<long>("select count(*) from ml.dataset_examples", Cancellation));
    }

    [Theory]
    [InlineData("""{"runId":"0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10"}""", "does not exist")]
    [InlineData("""{"runId":"no id"}""", "is not ExportRequested")]
    [InlineData("{}", "is not ExportRequested")]
    [InlineData("not json", "is not ExportRequested")]
    [InlineData("null", "is null")]
    [InlineData("", "is not ExportRequested")]
    public async Task A_message_that_can_never_succeed_is_acknowledged_and_kept(string data, string reason)
    {
        Assert.Equal(HttpStatusCode.OK, await PushAsync(data));
        Assert.Equal(HttpStatusCode.OK, await PushAsync(data));

        Assert.Equal(
            (2, 1L),
            (await _database.ScalarAsync<int>("select max(deliveries) from ml.rejected_messages", Cancellation),
                await _database.ScalarAsync<long>("select count(*) from ml.rejected_messages", Cancellation)));
        Assert.Contains(
            reason, await _database.ScalarAsync<string>("select reason from ml.rejected_messages", Cancellation),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_of_another_topic_is_kept_with_a_hint_at_the_subscription()
    {
        await PushAsync("{}", topic: Topics.TuningStarted);

        Assert.Contains(
            "belongs to topic tuning-started",
            await _database.ScalarAsync<string>("select reason from ml.rejected_messages", Cancellation),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_document_that_is_forgotten_while_it_is_exported_is_in_no_file_that_is_left()
    {
        await _rows.AddExamplesAsync(_project, 60);
        var document = await _rows.AddDocumentAsync(_project);
        await _rows.AddObjectAsync(_project, new()
        {
            JobId = await _rows.AddJobAsync(_project, await _rows.AddChunkAsync(document, "The Quetzalmarmot keeps secrets.")),
            Name = "Quetzalmarmot",
        });
        var store = new GcsDatasetStore(GcsDatasetStore.CreateService(_storage.Address, credential: null), Bucket);
        var forgetting = new DocumentForgetting(_database.Database, store, new Failpoints(), TimeProvider.System);
        _failpoints.Handler = async name =>
        {
            if (name == Failpoint.MetadataStored)
            {
                _failpoints.Handler = null;
                await forgetting.RecordAsync(document, new Scope(_organization, _project), "tester", "asked for", Cancellation);
            }
        };
        var id = await RequestAsync();

        Assert.Equal(HttpStatusCode.InternalServerError, await PushAsync(id));
        Assert.Equal([], await store.ListAsync("", Cancellation).ToListAsync(Cancellation));
        Assert.Equal(HttpStatusCode.OK, await PushAsync(id));

        Assert.Equal(RunState.Exported, (await FindAsync(id)).State);
        Assert.Equal(60L, await _database.ScalarAsync<long>("select count(*) from ml.dataset_examples", Cancellation));
        Assert.DoesNotContain(_directory.EnumerateFiles("*", SearchOption.AllDirectories), file =>
            File.ReadAllText(file.FullName).Contains("Quetzalmarmot", StringComparison.Ordinal));
    }

    private Task SetFloorAsync(string? floor) => _database.ExecuteAsync(
        $"""
        insert into ml.training_schedules (id, organization_id, pii_floor, created_at, updated_at)
        values (gen_random_uuid(), '{_organization}', {(floor is null ? "null" : $"'{floor}'")}, now(), now())
        on     conflict (organization_id, project_id) do update set pii_floor = excluded.pii_floor
        """,
        Cancellation);

    private Task<RunId> RequestAsync() => RequestAsync(NothingValidates);

    private async Task<RunId> RequestAsync(RunParameters parameters)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        var outcome = await db.RequestRunAsync(
            new RunRequest(
                new Scope(_organization, _project), RunPurpose.Training, RunTrigger.Manual, "test", parameters, Key: null),
            TimeProvider.System.GetUtcNow(), Cancellation);
        return Assert.IsType<RunRequestOutcome.Accepted>(outcome).RunId;
    }

    private async Task<Run> FindAsync(RunId id)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Cancellation);
        return Assert.IsType<Run>(await db.FindRunAsync(id, Cancellation));
    }

    private Task<HttpStatusCode> PushAsync(RunId id) => PushAsync($$"""{"runId":"{{id}}"}""");

    private async Task<HttpStatusCode> PushAsync(string data, string topic = Topics.ExportRequested)
    {
        var body = $$"""
            {"message":{"data":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(data))}}","messageId":"17",
             "attributes":{"message":"{{topic}}"},"publishTime":"2026-11-25T12:00:00Z"},"subscription":"s"}
            """;
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var response = await _http.PostAsync(
            new Uri(_function.Address, "projects/project/topics/export-requested"), content, Cancellation);
        return response.StatusCode;
    }

    private sealed class PublisherStartup(RecordingPublisher publisher, Failpoints failpoints) : FunctionsStartup
    {
        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            services.AddSingleton<IMessagePublisher>(publisher).AddSingleton(failpoints);
    }
}
