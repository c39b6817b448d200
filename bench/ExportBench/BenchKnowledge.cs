using System.Diagnostics;
using Npgsql;

namespace FeedbackLoop.Bench;

/// <summary>A project of any size, and the reads that an export is compared with.</summary>
internal sealed class BenchKnowledge(string connectionString) : IAsyncDisposable
{
    /// <summary>The rows that an export needs, as they are: no rules, no order, no JSON.</summary>
    public const string BareRead =
        """
        copy (
            select c.id, c.document_id, c.text, o.canonical_id, o.type, o.key, o.properties
            from   kb.object_extraction_jobs j
            join   kb.chunks c on c.id = j.chunk_id
            join   kb.graph_objects o on o.extraction_job_id = j.id
        ) to stdout;
        copy (select src_id, dst_id, type, properties from kb.graph_relationships) to stdout
        """;

    /// <summary>The same answers built in SQL: one line of JSON a chunk, in the order of the export.</summary>
    public const string JsonRead =
        """
        copy (
            select json_build_object(
                       'text', c.text,
                       'entities', (
                           select json_agg(json_build_object(
                               'type', o.type, 'name', o.properties->>'name', 'description', o.properties->>'description',
                               'business_key', o.key, 'properties', o.properties - 'name' - 'description')
                               order by o.properties->>'name')
                           from   kb.graph_objects o
                           where  o.extraction_job_id = j.id),
                       'relationships', (
                           select json_agg(json_build_object(
                               'source_name', s.properties->>'name', 'target_name', t.properties->>'name', 'type', r.type))
                           from   kb.graph_objects s
                           join   kb.graph_relationships r on r.src_id = s.canonical_id
                           join   kb.graph_objects t on t.canonical_id = r.dst_id
                           where  s.extraction_job_id = j.id))
            from   kb.object_extraction_jobs j
            join   kb.chunks c on c.id = j.chunk_id
            order  by md5(j.id::text)
        ) to stdout
        """;

    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(connectionString);

    public static Guid Project { get; } = Guid.Parse("00000000-0000-0000-0000-0000000000b1");

    public async Task FillAsync(int chunks)
    {
        const string sql =
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
                id, project_id, type, key, status, canonical_id, properties, extraction_job_id, reviewed_by)
            select md5('o' || i || '/' || k)::uuid, '00000000-0000-0000-0000-0000000000b1', 'Type' || k, 'K-' || i,
                   'accepted', md5('o' || i || '/' || k)::uuid,
                   jsonb_build_object('name', 'Name ' || k || ' of ' || i, 'vendor', 'Acme', 'description',
                       'It does its part of the work that the text of this chunk tells about.'),
                   md5('j' || i)::uuid, '00000000-0000-0000-0000-0000000000c1'
            from   generate_series(1, {0}) i, generate_series(1, 5) k;
            insert into kb.graph_relationships (project_id, type, src_id, dst_id, canonical_id)
            select '00000000-0000-0000-0000-0000000000b1', 'USES', md5('o' || i || '/' || k)::uuid,
                   md5('o' || i || '/' || (k + 1))::uuid, gen_random_uuid()
            from   generate_series(1, {0}) i, generate_series(1, 4) k;
            create index bench_job on kb.graph_objects (extraction_job_id);
            analyze
            """;

        foreach (var statement in sql.Split(';'))
        {
            await using var command = _database.CreateCommand(
                statement.Replace("{0}", $"{chunks}", StringComparison.Ordinal));
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync();
        }
    }

    public async Task<TimeSpan> CopyAsync(string statements)
    {
        await using var db = await _database.OpenConnectionAsync();
        var watch = Stopwatch.StartNew();
        foreach (var copy in statements.Split(';'))
        {
            await using var rows = await db.BeginRawBinaryCopyAsync(copy + " (format binary)", CancellationToken.None);
            await rows.CopyToAsync(Stream.Null);
        }

        return watch.Elapsed;
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
