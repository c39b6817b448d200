using System.Globalization;
using Npgsql;

namespace FeedbackLoop.Bench;

/// <summary>An organization of a hundred projects, one of them as large as all the others, and a year of extractions.</summary>
internal static class MeasuredTenants
{
    public static readonly Guid Organization = Guid.Parse("00000000-0000-0000-0000-0000000000a1");
    public static readonly Guid Project = Guid.Parse("00000000-0000-0000-0000-0000000000b0");

    /// <summary>
    /// Two in three objects are reviewed, in place; one in ten has a second version. Each model answers for some months.
    /// </summary>
    private const string Rows =
        """
        set session_replication_role = replica;
        insert into kb.orgs (id, name) values ('00000000-0000-0000-0000-0000000000a1', 'bench');
        insert into kb.projects (id, organization_id, name)
        select case when p = 0 then '00000000-0000-0000-0000-0000000000b0' else md5('p' || p)::uuid end,
               '00000000-0000-0000-0000-0000000000a1', 'project ' || p
        from   generate_series(0, 99) p;
        create table extraction as
        select i, case when i % 2 = 0 then '00000000-0000-0000-0000-0000000000b0' else md5('p' || (1 + i % 99))::uuid end as project_id,
               md5('j' || i)::uuid as job_id,
               now() - (random() * interval '365 days') as at,
               (array['project', 'general', 'base'])[1 + i % 3] as tier
        from   generate_series(1, {0}) i;
        insert into ml.extraction_results (
            id, organization_id, project_id, job_id, chosen_tier, chosen_model_id, chosen_reason, answered_tier,
            answered_model_id, answered_version, base_model, prompt_hash, latency_ms, input_tokens, output_tokens, is_valid,
            entity_count, needs_review_count, created_at)
        select md5('r' || i)::uuid, '00000000-0000-0000-0000-0000000000a1', project_id, job_id, tier, model_id, 'a reason', tier,
               model_id, version, 'gemini-3.1-flash-lite', repeat('a', 64), 500 + i % 4000, 1500 + i % 900, 300 + i % 200, true, 5,
               4, at
        from   (select e.*, extract(month from at)::int / 3 as version,
                       case tier when 'project' then md5(project_id::text || extract(month from at)::int / 3)::uuid
                                 when 'general' then md5('g' || extract(month from at)::int / 3)::uuid end as model_id
                from   extraction e) x;
        insert into kb.graph_objects (
            id, project_id, type, key, status, canonical_id, properties, extraction_job_id, extraction_confidence, needs_review,
            reviewed_by, actor_type, created_at, updated_at)
        select md5('o' || i || '/' || k)::uuid, project_id, 'Type' || (i + k) % 20, 'K-' || i || '/' || k,
               case when (i + k) % 3 = 0 then 'draft' when i % 20 = k then 'rejected' else 'accepted' end,
               md5('o' || i || '/' || k)::uuid,
               jsonb_build_object('name', 'Name ' || k || ' of ' || i, 'vendor', 'Acme', 'description',
                   'It does its part of the work that the text of this chunk tells about.'),
               job_id, 0.8, (i + k) % 3 = 0, case when (i + k) % 3 <> 0 then '00000000-0000-0000-0000-0000000000c1'::uuid end,
               'agent', at, at
        from   extraction, generate_series(1, 5) k;
        insert into kb.graph_objects (
            id, project_id, type, key, status, version, canonical_id, properties, reviewed_by, actor_type, created_at, updated_at)
        select md5('v' || i || '/' || k)::uuid, project_id, 'Type' || (i + k) % 20, 'K-' || i || '/' || k, 'accepted', 2,
               md5('o' || i || '/' || k)::uuid,
               jsonb_build_object('name', 'Better name ' || k || ' of ' || i, 'vendor', 'Acme', 'description',
                   'It does its part of the work that the text of this chunk tells about.'),
               '00000000-0000-0000-0000-0000000000c1'::uuid, 'user', at, at
        from   extraction, generate_series(1, 5) k
        where  (i + k) % 10 = 0;
        drop table extraction;
        set session_replication_role = origin;
        vacuum analyze
        """;

    public static async Task FillAsync(string connectionString, int extractions, CancellationToken cancellationToken)
    {
        await using var admin = NpgsqlDataSource.Create(connectionString);
        await using var db = await admin.OpenConnectionAsync(cancellationToken);
        foreach (var statement in Rows.Split(';'))
        {
            await using var command = new NpgsqlCommand(
                statement.Replace("{0}", extractions.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), db)
            {
                CommandTimeout = 0,
            };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
