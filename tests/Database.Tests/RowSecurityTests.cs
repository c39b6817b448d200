using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>Each table of <c>ml</c>, as the catalogue lists them: one organization's session and another's row.</summary>
public sealed class RowSecurityTests(SharedDatabase database) : IClassFixture<SharedDatabase>
{
    private const string Hash = "0000000000000000000000000000000000000000000000000000000000000000";

    // Tables whose rows belong to no organization: closed to the API as a whole.
    private static readonly string[] Closed = ["migrations", "rejected_messages", "deleted_documents", "tuning_listings"];

    // Of the installation, without anybody's data: the API reads it.
    private const string Shared = "spending_stops";

    // Everyone may add to it, for triggers do with the rights of whoever writes the product's tables.
    private const string Log = "knowledge_changes";

    // One row for the organization @o. Keys and triggers are off while it is written.
    private static readonly Dictionary<string, string> Rows = new()
    {
        ["training_schedules"] = "(id, created_at, updated_at) values (@o, gen_random_uuid(), now(), now())",
        ["training_runs"] =
            """
            (id, trigger, requested_by, parameters, version, not_before, deadline_at, created_at, updated_at)
            values (@o, gen_random_uuid(), 'manual', 'tester', '{}', 1, now(), now(), now(), now())
            """,
        ["run_events"] = "(run_id, state, at) values (@o, gen_random_uuid(), 'requested', now())",
        ["datasets"] =
            $$"""
            (id, run_id, uri, seed, prompt_hash, snapshot_at, train_uri, train_generation, train_sha256, train_bytes,
             train_examples, estimated_tokens, statistics, created_at)
            values (@o, gen_random_uuid(), gen_random_uuid(), 'gs://b/', 1, '{{Hash}}', now(), 'gs://b/t', 1, '{{Hash}}', 1,
                    1, 1, '{}', now())
            """,
        ["dataset_examples"] =
            """
            (dataset_id, job_id, chunk_id, document_id, split, content_hash)
            values (@o, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'train',
                    sha256('x'))
            """,
        ["tuning_attempts"] =
            $"""
            (run_id, attempt, vertex_parent, run_label, dataset_uri, dataset_generation, base_model, request_sha256,
             sent_at, token_expires_at, quiet_until, next_check_at)
            values (@o, gen_random_uuid(), 1, 'projects/p/locations/l', 'run', 'gs://b/t', 1, 'model', '{Hash}', now(),
                    now(), now() + interval '2 hours', now())
            """,
        ["fine_tuned_models"] =
            $"""
            (id, model_type, version, base_model, tuning_job, prompt_hash, dataset_id, training_dataset_uri,
             training_examples, validation_examples, created_at, updated_at)
            values (@o, gen_random_uuid(), 'general', 1, 'model', 'job', '{Hash}', gen_random_uuid(), 'gs://b/t', 1, 0,
                    now(), now())
            """,
        ["extraction_results"] =
            $"""
            (id, project_id, job_id, chosen_tier, chosen_reason, answered_tier, prompt_hash, latency_ms, is_valid,
             created_at)
            values (@o, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'base', 'only one', 'base', '{Hash}', 1,
                    true, now())
            """,
        ["model_evaluations"] =
            """
            (id, model_id, compared_with, dataset_id, base_model, created_at)
            values (@o, gen_random_uuid(), gen_random_uuid(), 'base', gen_random_uuid(), 'model', now())
            """,
        ["model_taints"] =
            "(model_id, document_id, cause, since) values (@o, gen_random_uuid(), gen_random_uuid(), 'deleted', now())",
        ["forgotten_documents"] =
            """
            (document_id, requested_by, reason, requested_at, next_look_at)
            values (@o, gen_random_uuid(), 'tester', 'asked for', now(), now())
            """,
        ["objects_to_delete"] = "(document_id, uri, at) values (@o, gen_random_uuid(), 'gs://b/t', now())",
        ["evaluation_answers"] =
            """
            (model_id, compared_with, position, score, latency_ms, input_tokens, output_tokens, created_at)
            values (@o, gen_random_uuid(), 'base', 0, '{}', 1, 1, 1, now())
            """,
        ["monthly_tokens"] =
            """
            (month, kind, base_model, is_tuned, calls, input_tokens, output_tokens)
            values (@o, '2026-06-01', 'extraction', gen_random_uuid()::text, false, 1, 1, 1)
            """,
        ["waiting_extractions"] = "(job_id, project_id, since) values (@o, gen_random_uuid(), gen_random_uuid(), now())",
        ["outbox"] =
            """
            (run_id, topic, payload, dedup_key, created_at)
            values (@o, gen_random_uuid(), 'export-requested', '{}', gen_random_uuid()::text, now())
            """,
        ["unrecorded_exports"] =
            "(run_id, epoch, uri, begun_at, next_look_at) values (@o, gen_random_uuid(), 1, 'gs://b/e1/', now(), now())",
        ["preflights"] = "(id, checked_at, requested_by, report) values (@o, gen_random_uuid(), now(), 'tester', '{}')",
        ["audit_log"] = "(actor, action, subject, at) values (@o, 'tester', 'start-training', 'run', now())",
        ["idempotency_keys"] =
            """
            (actor, key, request_sha256, run_id, created_at)
            values (@o, 'tester', gen_random_uuid()::text, sha256('x'), gen_random_uuid(), now())
            """,
        ["confirmed_empty"] =
            """
            (job_id, project_id, confirmed_by, confirmed_at)
            values (@o, gen_random_uuid(), gen_random_uuid(), 'tester', now())
            """,
        [Log] =
            """
            (project_id, subject, subject_id, at)
            values (@o, gen_random_uuid(), 'object', gen_random_uuid(), now())
            """,
        ["counted_projects"] = "(project_id) values (@o, gen_random_uuid())",
        ["counted_objects"] =
            """
            (project_id, canonical_id, entity_type, is_live, is_rejected, is_refused, is_sourced, is_confirmation, verified_to,
             own_verified_to, is_meaningful, content)
            values (@o, gen_random_uuid(), gen_random_uuid(), 'System', true, false, false, true, false, 101, 101, true, 1)
            """,
        ["counted_extractions"] =
            """
            (project_id, job_id, chunk_id, document_id, usable_to, decided_to, own_usable_to, own_decided_to, is_held, is_empty,
             changed_at)
            values (@o, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 1, 1, 1, true, false, now())
            """,
        ["object_counts"] =
            """
            (project_id, entity_type, is_rejected, verified_to, own_verified_to, count)
            values (@o, gen_random_uuid(), 'System', false, 101, 101, 1)
            """,
        ["extraction_counts"] =
            """
            (project_id, changed_on, level, usable, decided, own_usable, own_decided, empty)
            values (@o, gen_random_uuid(), current_date, 1, 1, 1, 1, 1, 0)
            """,
    };

    private readonly Guid _own = Guid.NewGuid();
    private readonly Guid _other = Guid.NewGuid();
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_table_is_spoken_of_here()
    {
        await using var db = await database.Rows.Admin.OpenConnectionAsync(Stop);
        var tables = await ListTablesAsync(db);

        Assert.True(tables.Length >= 14);
        Assert.All(tables, table => Assert.True(
            Rows.ContainsKey(table) || Closed.Contains(table) || table == Shared,
            $"ml.{table} is new: add a row to {nameof(Rows)}, or to {nameof(Closed)} when it has no organization"));
    }

    [Fact]
    public async Task Another_organizations_rows_cannot_be_seen_changed_or_removed()
    {
        await using var db = await database.Rows.Admin.OpenConnectionAsync(Stop);
        foreach (var table in await ListTenantTablesAsync(db))
        {
            await using var tx = await BeginAsync(db, table, role: "probe", _own);

            Assert.Equal((table, 1), (table, await CountAsync(db, table)));
            Assert.Equal((table, 1), (table, await ExecuteAsync(db, $"update ml.{table} set organization_id = organization_id")));
            Assert.Equal((table, 1), (table, await ExecuteAsync(db, $"delete from ml.{table}")));
        }
    }

    [Fact]
    public async Task The_API_sees_its_own_organization_only()
    {
        await using var db = await database.Rows.Admin.OpenConnectionAsync(Stop);
        foreach (var table in await ListTenantTablesAsync(db))
        {
            await using var tx = await BeginAsync(db, table, role: "app_api", _own);

            Assert.Equal((table, 1), (table, await CountAsync(db, table)));
            Assert.Equal((table, 0), (table, await CountAsync(db, $"{table} where organization_id = '{_other}'")));
        }
    }

    [Theory]
    [InlineData("probe")]
    [InlineData("app_api")]
    public async Task Without_an_organization_there_are_no_rows(string role)
    {
        await using var db = await database.Rows.Admin.OpenConnectionAsync(Stop);
        foreach (var table in await ListTenantTablesAsync(db))
        {
            await using var tx = await BeginAsync(db, table, role);

            Assert.Equal((table, 0), (table, await CountAsync(db, table)));
        }
    }

    [Fact]
    public async Task A_row_for_another_organization_is_refused()
    {
        await using var db = await database.Rows.Admin.OpenConnectionAsync(Stop);
        foreach (var table in (await ListTenantTablesAsync(db)).Where(table => table != Log))
        {
            var second = Guid.NewGuid();
            await using var tx = await BeginAsync(db, table, role: "probe", _own, second);

            await AssertRefusedAsync(db, table, Insert(table, Guid.NewGuid()));
            await AssertRefusedAsync(db, table, $"update ml.{table} set organization_id = '{_other}'");
            Assert.Equal((table, 1), (table, await ExecuteAsync(db, Insert(table, second))));
        }
    }

    [Fact]
    public async Task Everyone_may_add_to_the_log_of_changes_and_only_add()
    {
        await using var db = await database.Rows.Admin.OpenConnectionAsync(Stop);
        foreach (var table in (await ListTenantTablesAsync(db)).Where(table => table == Log))
        {
            await using var tx = await BeginAsync(db, table, role: "probe");

            Assert.Equal(1, await ExecuteAsync(db, Insert(table, _other)));
            Assert.Equal(0, await ExecuteAsync(db, $"update ml.{table} set at = now()"));
            Assert.Equal(0, await ExecuteAsync(db, $"delete from ml.{table}"));
        }
    }

    [Fact]
    public async Task The_chain_works_across_organizations()
    {
        await using var db = await database.Rows.Admin.OpenConnectionAsync(Stop);
        foreach (var table in await ListTenantTablesAsync(db))
        {
            await using var tx = await BeginAsync(db, table, role: "app");

            Assert.Equal((table, 2), (table, await CountAsync(db, table)));
        }
    }

    [Fact]
    public async Task Tables_without_an_organization_are_closed_to_the_API()
    {
        foreach (var table in Closed)
        {
            await using var command = database.Rows.Api.CreateCommand($"select count(*) from ml.{table}");
            var error = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync(Stop));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, error.SqlState);
        }
    }

    [Fact]
    public async Task A_table_with_row_security_takes_no_copy_even_from_the_chain()
    {
        await using var db = await database.Rows.Database.OpenConnectionAsync(Stop);

        // The reason for DatasetQueries.InsertOriginsAsync.
        var refused = await Assert.ThrowsAsync<PostgresException>(
            () => db.BeginBinaryImportAsync("copy ml.dataset_examples (dataset_id) from stdin (format binary)", Stop));
        Assert.Equal(PostgresErrorCodes.FeatureNotSupported, refused.SqlState);
    }

    private static async Task<string[]> ListTablesAsync(NpgsqlConnection db) =>
        [.. await db.QueryAsync<string>(Sql.Command(
            "select relname::text from pg_class where relnamespace = 'ml'::regnamespace and relkind in ('r', 'p')",
            null, Stop))];

    private static async Task<string[]> ListTenantTablesAsync(NpgsqlConnection db) =>
        [.. (await ListTablesAsync(db)).Except(Closed).Except([Shared])];

    /// <summary>
    /// A row of each organization, and then the session of a role; all is gone when the transaction is. The role
    /// <c>probe</c> has every right and no membership, so what stops it is the policy alone.
    /// </summary>
    private async Task<NpgsqlTransaction> BeginAsync(
        NpgsqlConnection db, string table, string role, params Guid[] organizations)
    {
        var tx = await db.BeginTransactionAsync(Stop);
        await ExecuteAsync(
            db,
            $"""
            set local session_replication_role = replica;
            {Insert(table, _own)};
            {Insert(table, _other)};
            create role probe;
            grant usage on schema ml to probe;
            grant all on all tables in schema ml to probe;
            set local role {role};
            """);
        if (organizations.Length > 0)
        {
            await ExecuteAsync(
                db, $$"""select set_config('app.organizations', '{{{string.Join(',', organizations)}}}', true)""");
        }

        return tx;
    }

    private static string Insert(string table, Guid organization) =>
        $"insert into ml.{table} (organization_id, {Rows[table][1..].Replace("@o", $"'{organization}'", StringComparison.Ordinal)}";

    private static async Task AssertRefusedAsync(NpgsqlConnection db, string table, string sql)
    {
        await ExecuteAsync(db, "savepoint before");
        var error = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(db, sql));
        await ExecuteAsync(db, "rollback to savepoint before");

        Assert.Equal((table, PostgresErrorCodes.InsufficientPrivilege), (table, error.SqlState));
        Assert.Contains("violates row-level security policy", error.MessageText, StringComparison.Ordinal);
    }

    private static async Task<long> CountAsync(NpgsqlConnection db, string table) =>
        await db.QuerySingleAsync<long>(Sql.Command($"select count(*) from ml.{table}", null, Stop));

    private static Task<int> ExecuteAsync(NpgsqlConnection db, string sql) =>
        db.ExecuteAsync(Sql.Command(sql, null, Stop));
}
