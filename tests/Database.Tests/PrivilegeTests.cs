using Dapper;
using FeedbackLoop.Local;
using FeedbackLoop.Platform;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Database.Tests;

/// <summary>Every right on the schema <c>ml</c> that is not the owner's.</summary>
public sealed class PrivilegeTests(PostgresFixture postgres) : IAsyncLifetime
{
    // Role, object, rights. A right on single columns names them. Change it together with the migration that grants.
    private const string Expected =
        """
        ml_api     schema ml             usage
        ml_api     audit_log             insert, select
        ml_api     confirmed_empty       delete, insert, select
        ml_api     counted_extractions   delete, insert, select, update
        ml_api     counted_objects       delete, insert, select, update
        ml_api     counted_projects      delete, insert, select, update
        ml_api     dataset_examples      select
        ml_api     datasets              select
        ml_api     evaluation_answers    select
        ml_api     extraction_counts     delete, insert, select, update
        ml_api     extraction_results    select
        ml_api     forgotten_documents   select
        ml_api     fine_tuned_models     select, update (first_promoted_at, promoted_at, status, status_reason, updated_at)
        ml_api     idempotency_keys      insert, select
        ml_api     knowledge_changes     delete, insert, select, update
        ml_api     model_evaluations     select
        ml_api     model_taints          select
        ml_api     objects_to_delete     select
        ml_api     monthly_tokens        select
        ml_api     object_counts         delete, insert, select, update
        ml_api     outbox                insert, select, update (attempts, last_error, next_attempt_at, sent_at, status)
        ml_api     preflights            insert, select, update
        ml_api     run_events            insert, select
        ml_api     spending_stops        select
        ml_api     training_runs         insert, select, update (approval_asked_usd, approved_at, approved_by, approved_usd, deadline_at, ends_as, epoch, lease_until, next_poll_at, not_before, reason, state, updated_at)
        ml_api     training_schedules    insert, select, update (active_since, cron_enabled, cron_expression, enabled, monthly_limit_usd, next_check_at, next_scheduled_at, no_monthly_limit, notify_project_admins, open_run_id, parameters, pii_floor, retrain_on_general_update, retrain_projects, retries, row_version, threshold_count, threshold_enabled, time_zone, updated_at)
        ml_api     tuning_attempts       select
        ml_api     unrecorded_exports    select
        ml_api     waiting_extractions   select
        ml_worker  schema ml             usage
        ml_worker  audit_log             insert, select
        ml_worker  confirmed_empty       delete, insert, select
        ml_worker  counted_extractions   delete, insert, select, update
        ml_worker  counted_objects       delete, insert, select, update
        ml_worker  counted_projects      delete, insert, select, update
        ml_worker  dataset_examples      delete, insert, select
        ml_worker  datasets              insert, select, update (estimated_tokens, statistics, test_bytes, test_examples, test_generation, test_sha256, test_uri, train_bytes, train_examples, train_generation, train_sha256, train_uri, validation_bytes, validation_examples, validation_generation, validation_sha256, validation_uri)
        ml_worker  deleted_documents     delete, insert, select
        ml_worker  evaluation_answers    delete, insert, select
        ml_worker  extraction_counts     delete, insert, select, update
        ml_worker  extraction_results    insert, select, update (problem)
        ml_worker  forgotten_documents   insert, select, update
        ml_worker  fine_tuned_models     insert, select, update
        ml_worker  idempotency_keys      insert, select
        ml_worker  knowledge_changes     delete, insert, select, update
        ml_worker  model_evaluations     insert, select, update
        ml_worker  model_taints          insert, select
        ml_worker  objects_to_delete     delete, insert, select
        ml_worker  monthly_tokens        insert, select, update
        ml_worker  object_counts         delete, insert, select, update
        ml_worker  outbox                delete, insert, select, update
        ml_worker  preflights            insert, select, update
        ml_worker  rejected_messages     insert, select, update
        ml_worker  run_events            insert, select
        ml_worker  spending_stops        insert, select, update
        ml_worker  training_runs         insert, select, update
        ml_worker  training_schedules    insert, select, update
        ml_worker  tuning_attempts       insert, select, update
        ml_worker  tuning_listings       delete, insert, select, update
        ml_worker  unrecorded_exports    delete, insert, select, update
        ml_worker  waiting_extractions   delete, insert, select
        public     schema ml             usage
        public     deleted_documents     insert
        public     knowledge_changes     insert
        """;

    private TestDatabase _database = null!;  // xunit initializes it before each test

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await postgres.CreateDatabaseAsync(Stop);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task Rights_are_exactly_these() =>
        Assert.Equal(await ExpectedAsync(), await ReadRightsAsync());

    [Fact]
    public async Task A_database_from_before_the_two_groups_keeps_no_blanket_right()
    {
        await _database.ExecuteAsync(
            """
            delete from local.migrations where name in ('V0002__local_logins.sql', 'V0003__prompt_types.sql');
            alter default privileges grant select, insert, update, delete on tables to app;
            grant usage on schema ml to app;
            grant select, insert, update, delete on all tables in schema ml to app
            """,
            Stop);

        KnowledgeSchema.MigrateAll(_database.Admin.ConnectionString, _ => { });

        Assert.Equal(await ExpectedAsync(), await ReadRightsAsync());
        await _database.ExecuteAsync("create table ml.later (id uuid); create table kb.later (id uuid)", Stop);
        Assert.False(await MayReadAsync("ml.later"));
        Assert.True(await MayReadAsync("kb.later"));
    }

    private Task<bool> MayReadAsync(string table) =>
        _database.ScalarAsync<bool>($"select has_table_privilege('app', '{table}', 'select')", Stop);

    private async Task<string[]> ExpectedAsync()
    {
        await using var db = await _database.Admin.OpenConnectionAsync(Stop);
        var tables = await db.QueryAsync<string>(Sql.Command(
            "select relname::text from pg_class where relnamespace = 'ml'::regnamespace", null, Stop));
        var present = tables.ToHashSet();

        // The log of changes, and with it the rights of everyone, come with the statistics.
        return [.. Expected.Split('\n')
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            .Where(line => present.Contains(line.Split(' ')[1])
                || line.StartsWith("ml_", StringComparison.Ordinal) && line.Contains(" schema ", StringComparison.Ordinal)
                || present.Contains("knowledge_changes"))
            .Order(StringComparer.Ordinal)];
    }

    private async Task<string[]> ReadRightsAsync()
    {
        const string sql =
            """
            with rights as (
                select n.nspowner as owner, 'schema ml' as subject, p.grantee, lower(p.privilege_type) as privilege, null as attribute
                from   pg_namespace n
                cross  join lateral aclexplode(n.nspacl) p
                where  n.nspname = 'ml'
                union all
                select c.relowner, c.relname, p.grantee, lower(p.privilege_type), null
                from   pg_class c
                cross  join lateral aclexplode(c.relacl) p
                where  c.relnamespace = 'ml'::regnamespace
                union all
                select c.relowner, c.relname, p.grantee, lower(p.privilege_type), a.attname
                from   pg_class c
                join   pg_attribute a on a.attrelid = c.oid
                cross  join lateral aclexplode(a.attacl) p
                where  c.relnamespace = 'ml'::regnamespace
            ), sides as (
                select grantee, subject, privilege, string_agg(attribute, ', ' order by attribute) as attributes
                from   rights
                where  grantee <> owner
                group  by grantee, subject, privilege, attribute is null
            )
            select case grantee when 0 then 'public' else grantee::regrole::text end || ' ' || subject || ' '
                   || string_agg(privilege || coalesce(' (' || attributes || ')', ''), ', ' order by privilege)
            from   sides
            group  by grantee, subject
            """;

        await using var db = await _database.Admin.OpenConnectionAsync(Stop);
        return [.. (await db.QueryAsync<string>(Sql.Command(sql, null, Stop))).Order(StringComparer.Ordinal)];
    }
}
