using FeedbackLoop.Testing;

namespace FeedbackLoop.Database.Tests;

/// <summary>A row in each table of <c>ml</c> that belongs to a scope, as a training that ended leaves them.</summary>
internal static class ScopeRows
{
    private const string Hash = "0000000000000000000000000000000000000000000000000000000000000000";

    /// <summary>Everything but what hangs on a project alone: counts, and an extraction.</summary>
    /// <param name="project">Null: the organization's own.</param>
    /// <param name="state">Of the run; its tuning job has ended when the run has.</param>
    /// <returns>The run's id, which is the model's and the dataset's as well.</returns>
    public static async Task<Guid> AddAsync(
        TestDatabase database, Guid organization, Guid? project, CancellationToken cancellationToken,
        string state = "succeeded")
    {
        var run = Guid.NewGuid();
        var p = project is { } id ? $"'{id}'" : "null";
        var isOver = state == "succeeded";
        var sql =
            $"""
            set session_replication_role = replica;
            insert into ml.training_schedules (id, organization_id, project_id, created_at, updated_at)
            values ('{run}', '{organization}', {p}, now(), now());
            insert into ml.training_runs (
                id, organization_id, project_id, trigger, requested_by, parameters, version, state, not_before, deadline_at,
                next_poll_at, ends_as, reason, dataset_id, model_id, created_at, updated_at, ended_at)
            values ('{run}', '{organization}', {p}, 'manual', 'tester', '{"{}"}', 1, '{state}', now(), now() + interval '1 day',
                    now(), 'cancelled', 'not needed', '{run}', {(isOver ? $"'{run}'" : "null")}, now(), now(), {(isOver ? "now()" : "null")});
            insert into ml.run_events (organization_id, run_id, state, at) values ('{organization}', '{run}', 'requested', now());
            insert into ml.datasets (
                id, organization_id, project_id, run_id, uri, seed, prompt_hash, snapshot_at, train_uri, train_generation,
                train_sha256, train_bytes, train_examples, estimated_tokens, statistics, created_at)
            values ('{run}', '{organization}', {p}, '{run}', 'gs://b/{run}/', 1, '{Hash}', now(), 'gs://b/{run}/train.jsonl', 1,
                    '{Hash}', 1, 1, 1, '{"{}"}', now());
            insert into ml.dataset_examples (
                dataset_id, organization_id, job_id, chunk_id, document_id, split, content_hash)
            values ('{run}', '{organization}', '{run}', '{run}', '{run}', 'train', sha256('x'));
            insert into ml.tuning_attempts (
                run_id, organization_id, attempt, state, vertex_parent, run_label, dataset_uri, dataset_generation, base_model,
                request_sha256, sent_at, token_expires_at, quiet_until, next_check_at, tuning_job, job_ended_at)
            values ('{run}', '{organization}', 1, 'created', 'projects/p/locations/l', 'run', 'gs://b/t', 1, 'model', '{Hash}',
                    now(), now(), now() + interval '2 hours', now(), 'projects/p/locations/l/tuningJobs/{run}',
                    {(isOver ? "now()" : "null")});
            insert into ml.fine_tuned_models (
                id, organization_id, project_id, model_type, version, base_model, tuning_job, prompt_hash, dataset_id,
                training_dataset_uri, training_examples, validation_examples, created_at, updated_at)
            values ('{run}', '{organization}', {p}, '{(project is null ? "general" : "project")}', 1, 'model', 'job', '{Hash}',
                    '{run}', 'gs://b/t', 1, 0, now(), now());
            insert into ml.model_taints (model_id, document_id, organization_id, cause, since)
            values ('{run}', '{run}', '{organization}', 'deleted', now());
            insert into ml.forgotten_documents (
                document_id, organization_id, project_id, requested_by, reason, requested_at, next_look_at)
            values ('{run}', '{organization}', {p}, 'tester', 'asked for', now(), now());
            insert into ml.objects_to_delete (organization_id, document_id, uri, at)
            values ('{organization}', '{run}', 'gs://b/{run}/train.jsonl', now());
            insert into ml.model_evaluations (
                id, organization_id, model_id, compared_with, dataset_id, base_model, created_at)
            values ('{run}', '{organization}', '{run}', 'base', '{run}', 'model', now());
            insert into ml.evaluation_answers (
                model_id, organization_id, compared_with, position, score, latency_ms, input_tokens, output_tokens, created_at)
            values ('{run}', '{organization}', 'base', 0, '{"{}"}', 1, 1, 1, now());
            insert into ml.outbox (organization_id, run_id, topic, payload, dedup_key, created_at)
            values ('{organization}', '{run}', 'export-requested', '{"{}"}', '{run}', now());
            insert into ml.unrecorded_exports (run_id, epoch, organization_id, uri, begun_at, next_look_at)
            values ('{run}', 0, '{organization}', 'gs://b/{run}/e0/', now(), now());
            insert into ml.idempotency_keys (actor, key, organization_id, request_sha256, run_id, created_at)
            values ('tester', '{run}', '{organization}', sha256('x'), '{run}', now());
            insert into ml.audit_log (organization_id, project_id, actor, action, subject, at)
            values ('{organization}', {p}, 'tester', 'start-training', 'run', now());
            insert into ml.preflights (id, organization_id, project_id, checked_at, requested_by, report)
            values ('{run}', '{organization}', {p}, now(), 'tester', '{"{}"}');
            """;
        var ofProject =
            $"""
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_reason, answered_tier, prompt_hash, latency_ms,
                is_valid, created_at)
            values ('{run}', '{organization}', {p}, '{run}', 'base', 'only one', 'base', '{Hash}', 1, true, now());
            insert into ml.waiting_extractions (job_id, organization_id, project_id, since)
            values ('{run}', '{organization}', {p}, now());
            insert into ml.confirmed_empty (job_id, organization_id, project_id, confirmed_by, confirmed_at)
            values ('{run}', '{organization}', {p}, 'tester', now());
            insert into ml.counted_projects (project_id, organization_id) values ({p}, '{organization}');
            insert into ml.counted_objects (
                project_id, canonical_id, organization_id, entity_type, is_live, is_rejected, is_refused, is_sourced,
                is_confirmation, verified_to, own_verified_to, is_meaningful, content)
            values ({p}, '{run}', '{organization}', 'System', true, false, false, true, false, 101, 101, true, 1);
            insert into ml.counted_extractions (
                project_id, job_id, chunk_id, organization_id, document_id, usable_to, decided_to, own_usable_to, own_decided_to,
                is_held, is_empty, changed_at)
            values ({p}, '{run}', '{run}', '{organization}', '{run}', 1, 1, 1, 1, true, false, now());
            insert into ml.object_counts (
                project_id, organization_id, entity_type, is_rejected, verified_to, own_verified_to, count)
            values ({p}, '{organization}', 'System', false, 101, 101, 1);
            insert into ml.extraction_counts (
                project_id, organization_id, changed_on, level, usable, decided, own_usable, own_decided, empty)
            values ({p}, '{organization}', current_date, 1, 1, 1, 1, 1, 0);
            insert into ml.knowledge_changes (organization_id, project_id, subject, subject_id, at)
            values ('{organization}', {p}, 'object', '{run}', now());
            """;
        var ofOrganization =
            $"""
            insert into ml.monthly_tokens (
                organization_id, month, kind, base_model, is_tuned, calls, input_tokens, output_tokens)
            values ('{organization}', '2026-06-01', 'extraction', 'gemini', false, 1, 1, 1)
            on conflict do nothing;
            """;
        await database.ExecuteAsync(
            $"{sql}{(project is null ? ofOrganization : ofProject)} set session_replication_role = default", cancellationToken);
        return run;
    }

    /// <summary>Rows of each table of <c>ml</c> that has an organization, by name.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> CountAsync(
        TestDatabase database, Guid organization, CancellationToken cancellationToken)
    {
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var tables = await database.ScalarAsync<string[]>(
            """
            select array_agg(c.relname::text)
            from   pg_class c
            join   pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id' and not a.attisdropped
            where  c.relnamespace = 'ml'::regnamespace
            and    c.relkind = 'r'
            """,
            cancellationToken);
        foreach (var table in tables)
        {
            counts.Add(
                table,
                await database.ScalarAsync<long>(
                    $"select count(*) from ml.{table} where organization_id = '{organization}'", cancellationToken));
        }

        return counts;
    }
}
