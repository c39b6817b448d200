using System.Globalization;
using FeedbackLoop.Access;
using FeedbackLoop.Local;
using Npgsql;

namespace FeedbackLoop.Bench;

/// <summary>A project of any size, an organization of many small ones, and the product's changes to the large one.</summary>
internal sealed class BenchTenants(LocalPostgres postgres, string name) : IAsyncDisposable
{
    public static readonly Guid Organization = Guid.Parse("00000000-0000-0000-0000-0000000000a1");
    public static readonly Guid Project = Guid.Parse("00000000-0000-0000-0000-0000000000b1");
    public static readonly Guid WideOrganization = Guid.Parse("00000000-0000-0000-0000-0000000000a2");

    private readonly NpgsqlDataSource _admin = NpgsqlDataSource.Create(postgres.ConnectionString(name));

    private readonly NpgsqlDataSource _api = NpgsqlDataSource.Create(postgres.ConnectionString(name, "app_api"));

    /// <summary>For the role of the product and of this system's chain.</summary>
    public NpgsqlDataSource App { get; } = NpgsqlDataSource.Create(postgres.ConnectionString(name, "app"));

    /// <summary>As the pages read: by the API's login, for the organization alone.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(Guid organization, CancellationToken cancellationToken) =>
        await new TenantConnections(_api).OpenAsync([organization], cancellationToken);

    /// <summary>Five objects an extraction, of every decision and confidence, and one training before all of them.</summary>
    public Task FillProjectAsync(int extractions) => RunAsync(
        """
        insert into kb.orgs (id, name) values ('00000000-0000-0000-0000-0000000000a1', 'bench');
        insert into kb.projects (id, organization_id, name)
        values ('00000000-0000-0000-0000-0000000000b1', '00000000-0000-0000-0000-0000000000a1', 'bench');
        insert into kb.documents (id, project_id)
        select md5('d' || i)::uuid, '00000000-0000-0000-0000-0000000000b1' from generate_series(1, {0} / 10 + 1) i;
        insert into kb.chunks (id, document_id, chunk_index, text)
        select md5('c' || i)::uuid, md5('d' || (i / 10 + 1))::uuid, i,
               'Part ' || i || '. ' || repeat('The ledger books what the gateway sends, in 1998 as in 2024. ', 15)
        from   generate_series(1, {0}) i;
        insert into kb.object_extraction_jobs (id, project_id, chunk_id, status)
        select md5('j' || i)::uuid, '00000000-0000-0000-0000-0000000000b1', md5('c' || i)::uuid, 'completed'
        from   generate_series(1, {0}) i;
        insert into kb.graph_objects (
            id, project_id, type, key, status, canonical_id, properties, extraction_job_id, reviewed_by,
            extraction_confidence)
        select md5('o' || i || '/' || k)::uuid, '00000000-0000-0000-0000-0000000000b1', 'Type' || (i + k) % 20,
               'K-' || i || '/' || k, case when i % 20 = k then 'rejected' else 'accepted' end,
               md5('o' || i || '/' || k)::uuid,
               jsonb_build_object('name', 'Name ' || k || ' of ' || i, 'vendor', 'Acme', 'description',
                   'It does its part of the work that the text of this chunk tells about.'),
               md5('j' || i)::uuid,
               case when (i + k) % 3 = 0 then '00000000-0000-0000-0000-0000000000c1'::uuid end,
               0.5 + ((i * 7 + k * 13) % 51) / 100.0
        from   generate_series(1, {0}) i, generate_series(1, 5) k;
        insert into ml.datasets (
            id, organization_id, project_id, run_id, uri, seed, prompt_hash, snapshot_at, train_uri, train_generation,
            train_sha256, train_bytes, train_examples, estimated_tokens, statistics, created_at)
        select md5('r')::uuid, '00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-0000000000b1',
               md5('r')::uuid, 'gs://bench/', 1, repeat('0', 64), timestamptz '2020-01-01', 'gs://bench/train.jsonl', 1,
               repeat('0', 64), 1, 1, 1, '{}', timestamptz '2020-01-01';
        insert into ml.training_runs (
            id, organization_id, project_id, trigger, requested_by, parameters, version, state, not_before, deadline_at,
            dataset_id, model_id, created_at, updated_at, ended_at)
        select md5('r')::uuid, '00000000-0000-0000-0000-0000000000a1', '00000000-0000-0000-0000-0000000000b1', 'manual',
               'bench', '{}', 1, 'succeeded', timestamptz '2020-01-01', timestamptz '2020-01-01', md5('r')::uuid,
               md5('r')::uuid, timestamptz '2020-01-01', timestamptz '2020-01-01', timestamptz '2020-01-01'
        """,
        extractions);

    /// <summary>Projects of two hundred objects.</summary>
    public Task FillOrganizationAsync(int projects) => RunAsync(
        """
        insert into kb.orgs (id, name) values ('00000000-0000-0000-0000-0000000000a2', 'wide');
        insert into kb.projects (id, organization_id, name)
        select md5('wp' || i)::uuid, '00000000-0000-0000-0000-0000000000a2', 'project ' || i
        from   generate_series(1, {0}) i;
        insert into kb.documents (id, project_id)
        select md5('wd' || i)::uuid, md5('wp' || i)::uuid from generate_series(1, {0}) i;
        insert into kb.chunks (id, document_id, chunk_index, text)
        select md5('wc' || i || '/' || c)::uuid, md5('wd' || i)::uuid, c, 'text'
        from   generate_series(1, {0}) i, generate_series(1, 40) c;
        insert into kb.object_extraction_jobs (id, project_id, chunk_id, status)
        select md5('wj' || i || '/' || c)::uuid, md5('wp' || i)::uuid, md5('wc' || i || '/' || c)::uuid, 'completed'
        from   generate_series(1, {0}) i, generate_series(1, 40) c;
        insert into kb.graph_objects (
            id, project_id, type, status, canonical_id, properties, extraction_job_id, reviewed_by,
            extraction_confidence)
        select md5('wo' || i || '/' || c || '/' || k)::uuid, md5('wp' || i)::uuid, 'Type' || k, 'accepted',
               md5('wo' || i || '/' || c || '/' || k)::uuid, '{"name": "n", "description": "It does its part of it."}',
               md5('wj' || i || '/' || c)::uuid,
               case when (c + k) % 3 = 0 then '00000000-0000-0000-0000-0000000000c1'::uuid end,
               0.5 + ((c * 7 + k * 13) % 51) / 100.0
        from   generate_series(1, {0}) i, generate_series(1, 40) c, generate_series(1, 5) k
        """,
        projects);

    /// <summary>So that the next fold counts everything anew.</summary>
    public Task ForgetCountsAsync() => RunAsync("delete from ml.counted_projects", 0);

    /// <summary>What a deployment has at night: figures for the planner, and pages that an index scan need not look at.</summary>
    public Task VacuumAsync() => RunAsync("vacuum analyze", 0);

    /// <summary>Turns the log's triggers on or off, for everyone.</summary>
    public Task SetTriggersAsync(bool enabled) => RunAsync(
        string.Join(
            ';',
            new[] { "insert", "update", "delete" }.Select(
                e => $"alter table kb.graph_objects {(enabled ? "enable" : "disable")} trigger ml_note_{e}")),
        0);

    /// <summary>A statement of the product, as the role of the product.</summary>
    public static async Task ExecuteAsync(
        NpgsqlConnection db, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, db) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Changes rows in place, from some extraction on: reviewed, rejected, or neither.</summary>
    public static string Change(int extraction, int rows) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        update kb.graph_objects
        set    reviewed_by = case when reviewed_by is null then '00000000-0000-0000-0000-0000000000c1'::uuid end,
               extraction_confidence = 0.5 + (({extraction} * 3 + version) % 51) / 100.0,
               properties = properties || '{"{"}"vendor": "{extraction}"{"}"}',
               updated_at = now()
        where  id = any(array(
                   select md5('o' || i || '/1')::uuid from generate_series({extraction}, {extraction + rows - 1}) i))
        """);

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        await _api.DisposeAsync();
        await _admin.DisposeAsync();
    }

    private async Task RunAsync(string statements, int count)
    {
        await using var db = await _admin.OpenConnectionAsync();
        foreach (var statement in statements.Split(';'))
        {
            // A finished run cannot be written otherwise; the product's rows are filled with all triggers on.
            var sql = statement.Replace("{0}", $"{count}", StringComparison.Ordinal);
            await ExecuteAsync(
                db, $"set session_replication_role = {(sql.Contains("into ml.", StringComparison.Ordinal) ? "replica" : "origin")}",
                CancellationToken.None);
            await ExecuteAsync(db, sql, CancellationToken.None);
        }
    }
}
