using System.Net.Http.Headers;
using System.Text;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Local;
using FeedbackLoop.Local.CloudStorage;
using FeedbackLoop.Local.Identity;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>
/// The admin API as it is deployed, with an issuer, a bucket and a database of two organizations. One for all tests: what a
/// test changes, it makes itself.
/// </summary>
public sealed class ApiWorld : IAsyncLifetime
{
    private const string Bucket = "datasets";

    private readonly PostgresFixture _postgres = new();
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("admin-api-");

    // No redirects and no cookies: an answer is what the API said.
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });

    public TestDatabase Database { get; private set; } = null!;

    public KnowledgeRows Rows { get; private set; } = null!;

    public IdentityServer Issuer { get; private set; } = null!;

    public CloudStorageServer Storage { get; private set; } = null!;

    public GcsDatasetStore Store { get; private set; } = null!;

    public FunctionHost Api { get; private set; } = null!;

    /// <summary>What the API published.</summary>
    public RecordingPublisher Published { get; } = new();

    /// <summary>Every line that the API logged.</summary>
    public RecordingLogs Logs { get; } = new();

    public Guid Organization { get; private set; }

    /// <summary>Of <see cref="Organization"/>; where the project's people belong.</summary>
    public Guid Project { get; private set; }

    /// <summary>Of <see cref="Organization"/>, without members of its own.</summary>
    public Guid Sibling { get; private set; }

    public Guid OtherOrganization { get; private set; }

    public Guid OtherProject { get; private set; }

    /// <summary>Of <see cref="Organization"/>.</summary>
    public Guid DeletedProject { get; private set; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _postgres.InitializeAsync();
        Database = await _postgres.CreateDatabaseAsync(CancellationToken.None);
        Rows = new KnowledgeRows(Database.Database);
        Organization = await Rows.AddOrganizationAsync();
        Project = await Rows.AddProjectAsync(Organization);
        Sibling = await Rows.AddProjectAsync(Organization);
        DeletedProject = await Rows.AddProjectAsync(Organization);
        OtherOrganization = await Rows.AddOrganizationAsync();
        OtherProject = await Rows.AddProjectAsync(OtherOrganization);
        await AddPeopleAsync();

        Issuer = await IdentityServer.StartAsync(new(), CancellationToken.None);
        Storage = await CloudStorageServer.StartAsync(
            new() { DataDirectory = _directory.FullName }, CancellationToken.None);
        var service = GcsDatasetStore.CreateService(Storage.Address, credential: null);
        await service.Buckets.Insert(new() { Name = Bucket }, "project").ExecuteAsync();
        Store = new GcsDatasetStore(service, Bucket);
        Api = await StartApiAsync(new Dictionary<string, string?>());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Api.DisposeAsync();
        await Storage.DisposeAsync();
        await Issuer.DisposeAsync();
        await Database.DisposeAsync();
        await _postgres.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    /// <summary>Another database of the same cluster, empty.</summary>
    public Task<TestDatabase> CreateDatabaseAsync(CancellationToken cancellationToken) =>
        _postgres.CreateDatabaseAsync(cancellationToken);

    /// <summary>A second API beside the shared one, on the same database, for a test that needs other settings.</summary>
    public Task<FunctionHost> StartApiAsync(IReadOnlyDictionary<string, string?> settings) => FunctionHost.StartAsync(
        "AdminApiFunction",
        new Dictionary<string, string?>
        {
            ["Database:ConnectionString"] = Database.ApiConnectionString,
            ["GoogleCloud:ProjectId"] = "project",
            ["GoogleCloud:Location"] = "us-central1",
            ["GoogleCloud:Bucket"] = Bucket,
            ["GoogleCloud:Environment"] = "test",
            ["GoogleCloud:TuningServiceAccount"] = "tuning@project.iam.gserviceaccount.com",
            ["GoogleCloud:StorageAddress"] = Storage.Address.ToString(),
            ["GoogleCloud:VertexAddress"] = "http://127.0.0.1:1",
            ["GoogleCloud:IamCredentialsAddress"] = "http://127.0.0.1:1",
            ["GoogleCloud:PubSubAddress"] = "http://127.0.0.1:1",
            ["Access:Authority"] = Issuer.Issuer,
            ["Access:AllowHttp"] = "true",
            ["Access:Audience"] = "feedback-loop-api",
            ["Access:ClientId"] = "admin-ui",
            ["Spending:RunsPerDay"] = "1000",
            ["AdminApi:StartsPerMinute"] = "10000",
            ["AdminApi:PreflightsPerMinute"] = "10000",
            ["AdminApi:RequestsPerMinute"] = "1000000",
        }.Concat(settings).GroupBy(each => each.Key).ToDictionary(group => group.Key, group => group.Last().Value),
        new PublisherStartup(Published),
        logging => logging.AddProvider(Logs).SetMinimumLevel(LogLevel.Debug),
        CancellationToken.None);

    /// <param name="path">After <c>/api</c>, with a slash.</param>
    /// <param name="subject">One of <see cref="People"/>.</param>
    public Task<HttpResponseMessage> SendAsync(
        string method, string path, string subject, string? body = null, params (string Name, string Value)[] headers) =>
        SendAsync(Api, method, path, subject, body, headers);

    public async Task<HttpResponseMessage> SendAsync(
        FunctionHost api, string method, string path, string subject, string? body = null,
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(api.Address, $"/api{path}"));
        if (subject != People.Anonymous)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Issuer.IssueAccessToken(subject));
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await _http.SendAsync(request, Cancellation);
    }

    /// <summary>
    /// One more with the same admin: what stands in the way in the shared one, or holds it, would hold other tests too.
    /// </summary>
    public async Task<Guid> AddOrganizationAsync()
    {
        var organization = await Rows.AddOrganizationAsync();
        await Database.ExecuteAsync(
            $"""
            insert into kb.organization_memberships (organization_id, user_id, role)
            select '{organization}', id, 'org_admin'
            from   core.user_profiles
            where  zitadel_user_id = '{People.OrganizationAdmin}'
            """,
            Cancellation);
        return organization;
    }

    /// <summary>A run in any state, without the steps that lead there.</summary>
    public async Task<Guid> AddRunAsync(Scope scope, string purpose, string state, string? reason = null)
    {
        var id = Guid.CreateVersion7();
        await ArrangeAsync(
            $"""
            insert into ml.training_runs (
                id, organization_id, project_id, purpose, trigger, requested_by, parameters, version, state, reason,
                not_before, deadline_at, dataset_id, model_id, ends_as, next_poll_at, approval_asked_usd, created_at, updated_at,
                ended_at)
            select '{id}', '{scope.OrganizationId}', {Literal(scope.ProjectId)}, '{purpose}', 'manual', 'test',
                   '{RunParameters.Default.ToJson()}', (select coalesce(max(version), 0) + 1 from ml.training_runs),
                   '{state}', coalesce({Literal(reason)}, case when '{state}' in ('failed', 'skipped', 'cancelled', 'needs_operator', 'awaiting_approval') then 'a reason' end),
                   now(), now() + interval '1 hour',
                   case when '{state}' not in ('requested', 'exporting', 'skipped', 'failed', 'cancelling', 'cancelled') then '{id}'::uuid end,
                   case when '{state}' = 'succeeded' and '{purpose}' = 'training' then '{id}'::uuid end,
                   case when '{state}' = 'cancelling' then 'cancelled' end, now(),
                   case when '{state}' = 'awaiting_approval' then 81.32 end, now(), now(),
                   case when ml.run_is_final('{state}') then now() end
            """);
        return id;
    }

    /// <summary>A model with its run and its dataset.</summary>
    public async Task<Guid> AddModelAsync(Scope scope, string status)
    {
        var id = await AddRunAsync(scope, RunPurpose.Training, RunState.Succeeded);
        await AddDatasetAsync(id, scope, train: null);
        await ArrangeAsync(
            $"""
            insert into ml.fine_tuned_models (
                id, organization_id, project_id, model_type, version, status, base_model, tuning_job, vertex_model,
                vertex_endpoint, prompt_hash, dataset_id, training_dataset_uri, training_examples, validation_examples,
                training_started_at, training_completed_at, created_at, updated_at)
            select '{id}', '{scope.OrganizationId}', {Literal(scope.ProjectId)},
                   '{(scope.IsGeneral ? "general" : "project")}',
                   (select coalesce(max(version), 0) + 1 from ml.fine_tuned_models
                    where organization_id = '{scope.OrganizationId}' and project_id is not distinct from {Literal(scope.ProjectId)}),
                   '{status}', 'gemini-3.1-flash-lite', 'projects/1/locations/us-central1/tuningJobs/{id.GetHashCode()}',
                   'projects/1/locations/us-central1/models/{id}@1', 'projects/1/locations/us-central1/endpoints/{id}',
                   repeat('a', 64), '{id}', 'gs://{Bucket}/train.jsonl', 100, 20, now(), now(), now(), now()
            """);
        return id;
    }

    /// <summary>A succeeded export with its files in the bucket.</summary>
    public async Task<Guid> AddExportAsync(Scope scope, byte[] train)
    {
        var id = await AddRunAsync(scope, RunPurpose.Export, RunState.Succeeded);
        await AddDatasetAsync(id, scope, train);
        foreach (var (name, content) in ((string, byte[])[])[("train.jsonl", train), ("metadata.json", "{}"u8.ToArray())])
        {
            await using var file = await Store.CreateAsync($"folder/{id}/{name}", "application/octet-stream", Cancellation);
            await file.Content.WriteAsync(content, Cancellation);
            await file.CommitAsync(Cancellation);
        }

        return id;
    }

    /// <summary>Rows that no step would write, past triggers and foreign keys.</summary>
    public Task ArrangeAsync(string sql) => Database.ExecuteAsync(
        $"begin; set local session_replication_role = replica; {sql}; commit", Cancellation);

    private async Task AddDatasetAsync(Guid id, Scope scope, byte[]? train)
    {
        var bytes = train ?? [1];
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
        var statistics =
            $$"""
            {"organizationId": "{{scope.OrganizationId}}", "projectId": null, "snapshotAt": "2026-01-01T00:00:00Z", "seed": 1,
             "criteria": {}, "promptHash": "{{new string('a', 64)}}", "prompts": {},
             "files": {"train.jsonl": {"examples": 3, "bytes": {{bytes.Length}}, "sha256": "{{hash}}"} },
             "counts": {"candidates": 4, "examples": 3, "trainExamples": 3, "validationExamples": 0, "entities": 5,
                        "relationships": 1, "estimatedTrainTokens": 300},
             "entityTypes": {"System": 5}, "relationshipTypes": {"USES": 1},
             "averages": {"entities": 1, "relationships": 1, "chunkLength": 1, "tokens": 1},
             "maxima": {"entities": 1, "relationships": 1, "chunkLength": 1, "tokens": 1},
             "excluded": {"pii": 1}, "leftOut": {} }
            """;
        await ArrangeAsync(
            $"""
            insert into ml.datasets (
                id, organization_id, project_id, run_id, uri, seed, prompt_hash, snapshot_at, train_uri, train_generation,
                train_sha256, train_bytes, train_examples, estimated_tokens, statistics, created_at)
            values (
                '{id}', '{scope.OrganizationId}', {Literal(scope.ProjectId)}, '{id}', 'gs://{Bucket}/folder/{id}/', 1,
                repeat('a', 64), now(), 'gs://{Bucket}/folder/{id}/train.jsonl', 1, '{hash}', {bytes.Length}, 3, 300,
                '{statistics}', now())
            """);
    }

    private async Task AddPeopleAsync()
    {
        foreach (var subject in People.All.Except([People.Anonymous, People.Unknown]))
        {
            await Database.ExecuteAsync(
                $"insert into core.user_profiles (zitadel_user_id, display_name) values ('{subject}', 'Name of {subject}')",
                Cancellation);
        }

        await Database.ExecuteAsync(
            $"""
            insert into kb.organization_memberships (organization_id, user_id, role)
            select m.organization_id::uuid, p.id, m.role
            from   (values ('{Organization}', '{People.OrganizationAdmin}', 'org_admin'),
                           ('{Organization}', '{People.OrganizationMember}', 'org_viewer'),
                           ('{Organization}', '{People.Deleted}', 'org_admin'),
                           ('{OtherOrganization}', '{People.Outsider}', 'org_admin')) m (organization_id, subject, role)
            join   core.user_profiles p on p.zitadel_user_id = m.subject;

            insert into kb.project_memberships (project_id, user_id, role)
            select m.project_id::uuid, p.id, m.role
            from   (values ('{Project}', '{People.ProjectAdmin}', 'project_admin'),
                           ('{DeletedProject}', '{People.ProjectAdmin}', 'project_admin'),
                           ('{Project}', '{People.ProjectMember}', 'project_viewer')) m (project_id, subject, role)
            join   core.user_profiles p on p.zitadel_user_id = m.subject;

            update kb.projects set deleted_at = now() where id = '{DeletedProject}';
            update core.user_profiles set deleted_at = now() where zitadel_user_id = '{People.Deleted}'
            """,
            Cancellation);
    }

    private static string Literal(object? value) => value is null ? "null" : $"'{value}'";

    private sealed class PublisherStartup(RecordingPublisher publisher) : FunctionsStartup
    {
        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            services.AddSingleton<IMessagePublisher>(publisher);
    }
}
