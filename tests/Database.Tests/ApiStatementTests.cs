using Dapper;
using FeedbackLoop.Access;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>The statements of the admin API, as its own login, with the checks of the code left out.</summary>
public sealed class ApiStatementTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    private readonly RecordingPublisher _published = new();
    private TestDatabase _database = null!;  // xunit initializes it before each test
    private Guid _own;
    private Guid _other;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Stop);
        _own = await _database.AddOrganizationAsync(Stop);
        _other = await _database.AddOrganizationAsync(Stop);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task A_run_is_requested_in_ones_own_organization()
    {
        await using var db = await OpenAsync(_own);
        var key = new IdempotencyKey("key", new byte[32]);
        var project = new Scope(_own, await _database.AddProjectAsync(_own, Stop));

        var first = Assert.IsType<RunRequestOutcome.Accepted>(await RequestAsync(db, new Scope(_own, null), key));
        var repeat = Assert.IsType<RunRequestOutcome.Accepted>(await RequestAsync(db, new Scope(_own, null), key));
        var again = Assert.IsType<RunRequestOutcome.AlreadyRunning>(await RequestAsync(db, new Scope(_own, null)));

        Assert.Equal((first.RunId, true), (repeat.RunId, repeat.IsRepeat));
        Assert.Equal(first.RunId, again.RunId);
        Assert.IsType<RunRequestOutcome.Accepted>(await RequestAsync(db, project));
        Assert.Equal("requested", Assert.Single(await db.ListRunEventsAsync(first.RunId, Stop)).State);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("key")]
    public async Task And_refused_in_another(string? key)
    {
        await using var db = await OpenAsync(_own);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => RequestAsync(
            db, new Scope(_other, null), key is null ? null : new IdempotencyKey(key, new byte[32])));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        Assert.Equal(0, await _database.ScalarAsync<long>("select count(*) from ml.training_runs", Stop));
    }

    [Fact]
    public async Task A_run_is_cancelled_in_ones_own_organization_only()
    {
        var (own, other) = (await AddRunAsync(_own), await AddRunAsync(_other));
        await using var db = await OpenAsync(_own);

        Assert.True(await db.RequestCancelAsync(own, "user:ann", "not needed", Now, Stop));
        Assert.False(await db.RequestCancelAsync(other, "user:ann", "not needed", Now, Stop));
        Assert.Equal(["requested", "cancelling"], (await db.ListRunEventsAsync(own, Stop)).Select(e => e.State));
        Assert.Equal(
            RunState.Requested,
            await _database.ScalarAsync<string>($"select state from ml.training_runs where id = '{other}'", Stop));
    }

    [Fact]
    public async Task Runs_of_another_organization_are_not_there()
    {
        var (own, other) = (await AddRunAsync(_own), await AddRunAsync(_other));
        var everything = new ScopeFilter([_own, _other], [], []);
        await using var db = await OpenAsync(_own);

        var runs = await db.ListRunOverviewsAsync(RunPurpose.Training, everything, RunFilter.None, null, 10, Stop);

        Assert.Equal(own, Assert.Single(runs).Id);
        Assert.NotNull(await db.FindRunOverviewAsync(own, RunPurpose.Training, everything, Stop));
        Assert.Null(await db.FindRunOverviewAsync(other, RunPurpose.Training, everything, Stop));
        Assert.Null(await db.FindRunAsync(other, Stop));
        Assert.Empty(await db.ListRunEventsAsync(other, Stop));
    }

    [Fact]
    public async Task A_model_is_promoted_and_deprecated_in_ones_own_organization_only()
    {
        var (first, second, other) = (await AddModelAsync(_own), await AddModelAsync(_own), await AddModelAsync(_other));
        await using var db = await OpenAsync(_own);
        Assert.IsType<PromotionOutcome.Refused>(await db.PromoteModelAsync(first, "user:ann", "too early", Now, Stop));
        await _database.ExecuteAsync("update ml.fine_tuned_models set status = 'deprecated'", Stop);

        Assert.IsType<PromotionOutcome.Promoted>(await db.PromoteModelAsync(first, "user:ann", null, Now, Stop));
        Assert.Equal(
            new PromotionOutcome.Promoted(first), await db.PromoteModelAsync(second, "user:ann", "better", Now, Stop));
        Assert.True(await db.DeprecateModelAsync(second, "user:ann", "worse after all", Now, Stop));

        Assert.IsType<PromotionOutcome.Refused>(await db.PromoteModelAsync(other, "user:ann", null, Now, Stop));
        await _database.ExecuteAsync($"update ml.fine_tuned_models set status = 'ready' where id = '{other}'", Stop);
        Assert.False(await db.DeprecateModelAsync(other, "user:ann", "not mine", Now, Stop));
        Assert.Equal(3, await _database.ScalarAsync<long>("select count(*) from ml.audit_log", Stop));
    }

    [Fact]
    public async Task Models_of_another_organization_are_not_there()
    {
        var (own, other) = (await AddModelAsync(_own), await AddModelAsync(_other));
        var everything = new ScopeFilter([_own, _other], [], []);
        await using var db = await OpenAsync(_own);

        Assert.Equal(own, Assert.Single(await db.ListVisibleModelsAsync(everything, null, null, 10, Stop)).Id);
        Assert.NotNull(await db.FindVisibleModelAsync(own, everything, Stop));
        Assert.Null(await db.FindVisibleModelAsync(other, everything, Stop));
        Assert.Empty(await db.ListModelsAsync(_other, null, null, 10, Stop));
    }

    [Fact]
    public async Task A_model_cannot_be_given_another_endpoint()
    {
        var model = await AddModelAsync(_own);
        await using var db = await OpenAsync(_own);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => db.ExecuteAsync(Sql.Command(
            "update ml.fine_tuned_models set vertex_endpoint = 'elsewhere' where id = @model", new { model }, Stop)));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task The_relay_sends_what_the_session_may_see()
    {
        await AddRunAsync(_own);
        var other = await AddRunAsync(_other);
        var relay = new OutboxRelay(_database.Api, _published, new Failpoints(), TimeProvider.System);

        // Without an organization there is nothing to send; the sweep, which sees all, sends what the API leaves.
        Assert.Equal(0, await relay.SendPendingAsync(10, Stop));
        await using (var db = await OpenAsync(_own))
        {
            Assert.Equal(1, await relay.SendPendingAsync(db, 10, OutboxRelay.UsualBudget, Stop));
        }

        Assert.Equal([Topics.ExportRequested], _published.Topics);
        Assert.Equal(
            other.Value, await _database.ScalarAsync<Guid>("select run_id from ml.outbox where status = 'pending'", Stop));
        Assert.Equal(1, await new OutboxRelay(_database.Database, _published, new Failpoints(), TimeProvider.System).SendPendingAsync(10, Stop));
    }

    [Fact]
    public async Task A_message_goes_out_at_once_beside_a_hundred_thousand_of_others()
    {
        await _database.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            insert into ml.outbox (organization_id, run_id, topic, payload, dedup_key, created_at)
            select md5((n % 500)::text)::uuid, gen_random_uuid(), 'dataset-exported', 'of another one', gen_random_uuid(), now()
            from   generate_series(1, 100000) n;
            reset session_replication_role;
            """,
            Stop);
        await AddRunAsync(_own);
        await using var db = await OpenAsync(_own);
        var start = TimeProvider.System.GetTimestamp();

        var sent = await new OutboxRelay(_database.Api, _published, new Failpoints(), TimeProvider.System)
            .SendPendingAsync(db, 10, OutboxRelay.UsualBudget, Stop);

        TestContext.Current.SendDiagnosticMessage(
            "100,000 rows of others: {0:0} ms", TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
        Assert.Equal(1, sent);
        Assert.Equal([Topics.ExportRequested], _published.Topics);
    }

    [Theory]
    [InlineData("core.user_profiles")]
    [InlineData("kb.orgs")]
    [InlineData("kb.projects")]
    [InlineData("kb.organization_memberships")]
    [InlineData("kb.project_memberships")]
    [InlineData("kb.graph_objects")]
    [InlineData("kb.object_extraction_jobs")]
    [InlineData("kb.chunks")]
    [InlineData("kb.documents")]
    [InlineData("kb.object_chunks")]
    public async Task The_products_tables_are_read_and_not_written(string table)
    {
        await using var db = await OpenAsync(_own);
        await db.QueryAsync(Sql.Command($"select count(*) from {table}", null, Stop));

        var refused = await Assert.ThrowsAsync<PostgresException>(
            () => db.ExecuteAsync(Sql.Command($"delete from {table}", null, Stop)));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task The_policy_is_the_key_of_an_index_scan()
    {
        await AddManyRunsAsync();
        await using var db = await OpenAsync(_own);

        // As RunQueries.ListRunOverviewsAsync chooses the runs of a page.
        var plan = await ExplainAsync(db, ScopeFilter.Condition, new ScopeFilter([_own, _other], [], []));

        Assert.Contains("InitPlan 1 (returns $0)", plan, StringComparison.Ordinal);
        Assert.Matches("Index Cond: .*organization_id = ANY \\(\\$0\\)", plan);
        Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_of_one_scope_comes_out_of_its_index_in_order()
    {
        await AddManyRunsAsync();
        await using var db = await OpenAsync(_own);

        var plan = await ExplainAsync(
            db, "organization_id = @organization and project_id = @project", new { organization = _own, project = _own });

        Assert.Contains("Index Scan using training_runs_scope", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("document_id", "dataset_examples_document")]
    [InlineData("chunk_id", "dataset_examples_chunk")]
    [InlineData("job_id", "dataset_examples_job")]
    public async Task Where_an_example_went_is_found_by_an_index(string column, string index)
    {
        await _database.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            insert into ml.dataset_examples (
                dataset_id, organization_id, job_id, chunk_id, document_id, split, content_hash)
            select '{_own}', '{_own}', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'train', sha256('x')
            from   generate_series(1, 20000);
            analyze ml.dataset_examples
            """,
            Stop);
        await using var db = await OpenAsync(_own);

        // As LineageQueries looks for the datasets of a document, a chunk or an object.
        var plan = string.Join('\n', await db.QueryAsync<string>(Sql.Command(
            $"explain (costs off) select e.dataset_id from ml.dataset_examples e where e.{column} = any (@keys)",
            new { keys = new[] { Guid.NewGuid() } }, Stop)));

        Assert.Contains(index, plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal);
    }

    private Task<NpgsqlConnection> OpenAsync(Guid organization) =>
        new TenantConnections(_database.Api).OpenAsync([organization], Stop);

    private static Task<RunRequestOutcome> RequestAsync(NpgsqlConnection db, Scope scope, IdempotencyKey? key = null) =>
        db.RequestRunAsync(
            new RunRequest(scope, RunPurpose.Training, RunTrigger.Manual, "user:ann", RunParameters.Default, key), Now, Stop);

    private static async Task<string> ExplainAsync(NpgsqlConnection db, string condition, object args) =>
        string.Join('\n', await db.QueryAsync<string>(Sql.Command(
            $"""
            explain (costs off)
            select *
            from   ml.training_runs
            where  purpose = 'training'
            and    {condition}
            order  by created_at desc, id desc
            limit  20
            """,
            args, Stop)));

    private async Task<RunId> AddRunAsync(Guid organization)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Stop);
        return Assert.IsType<RunRequestOutcome.Accepted>(await RequestAsync(db, new Scope(organization, null))).RunId;
    }

    // The registry's row alone: the keys and guards around it are not what is looked at here.
    private async Task<RunId> AddModelAsync(Guid organization)
    {
        var id = RunId.New(Now);
        await _database.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            insert into ml.fine_tuned_models (
                id, organization_id, model_type, version, base_model, tuning_job, prompt_hash, dataset_id,
                training_dataset_uri, training_examples, validation_examples, vertex_model, vertex_endpoint,
                training_completed_at, created_at, updated_at)
            select '{id}', '{organization}', 'general', count(*) + 1, 'model', 'job', repeat('0', 64), gen_random_uuid(),
                   'gs://b/t', 1, 0, '{id}', 'endpoint', now(), now(), now()
            from   ml.fine_tuned_models
            """,
            Stop);
        return id;
    }

    // 5,000 runs of one project, which has its organization's id, beside 100 of each of 39 other organizations.
    private Task AddManyRunsAsync() => _database.ExecuteAsync(
        $"""
        set session_replication_role = replica;
        insert into ml.training_runs (
            id, organization_id, project_id, trigger, requested_by, parameters, version, state, reason, not_before,
            deadline_at, created_at, updated_at, ended_at)
        select gen_random_uuid(), o.id, o.id, 'manual', 'user:ann', '{"{}"}', r, 'skipped', 'too little data', now(), now(),
               now() - r * interval '1 hour', now(), now()
        from   (select '{_own}'::uuid as id, 5000 as runs
                union all
                select '{_other}', 100
                union all
                select gen_random_uuid(), 100 from generate_series(1, 38)) o
        cross  join lateral generate_series(1, o.runs) r;
        analyze ml.training_runs
        """,
        Stop);
}
