using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>
/// The product deletes and moves what is its own, and nothing of ours stands in the way or goes along. What a foreign key said of a
/// new row is said without one.
/// </summary>
public sealed class ProductDeletionTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!; // xunit initializes these before each test
    private Guid _organization;
    private Guid _project;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Stop);
        _organization = await _database.AddOrganizationAsync(Stop);
        _project = await _database.AddProjectAsync(_organization, Stop);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [InlineData("delete from kb.projects")]
    [InlineData("delete from kb.orgs")]
    [InlineData("update kb.projects set deleted_at = now()")]
    [InlineData("update kb.orgs set deleted_at = now()")]
    [InlineData("delete from core.user_profiles")]
    public async Task What_the_product_deletes_leaves_every_row_of_ours(string deletion)
    {
        await ScopeRows.AddAsync(_database, _organization, _project, Stop);
        await ScopeRows.AddAsync(_database, _organization, project: null, Stop, state: "tuning");
        var before = await ScopeRows.CountAsync(_database, _organization, Stop);
        Assert.All(before, table => Assert.True(table.Value > 0, $"ml.{table.Key} has no row"));

        await ExecuteAsync(deletion);

        Assert.Equal(before, await ScopeRows.CountAsync(_database, _organization, Stop));
    }

    [Fact]
    public async Task A_project_moves_to_another_organization_and_its_runs_stay_where_they_were()
    {
        var other = await _database.AddOrganizationAsync(Stop);
        await ScopeRows.AddAsync(_database, _organization, _project, Stop);
        var before = await ScopeRows.CountAsync(_database, _organization, Stop);

        await ExecuteAsync($"update kb.projects set organization_id = '{other}'");

        Assert.Equal(before, await ScopeRows.CountAsync(_database, _organization, Stop));
    }

    [Fact]
    public async Task The_product_s_tables_have_no_constraint_of_ours() =>
        Assert.Equal(0, await _database.ScalarAsync<long>(
            """
            select count(*)
            from   pg_constraint
            where  conname = 'projects_id_organization_key'
            or     (contype = 'f' and conrelid::regclass::text like 'ml.%' and confrelid::regclass::text !~ '^ml\.')
            """,
            Stop));

    public static TheoryData<string> Beginnings => new(
        """
        ml.training_runs (
            id, organization_id, project_id, trigger, requested_by, parameters, version, not_before, deadline_at, created_at,
            updated_at)
        values (gen_random_uuid(), @organization, @project, 'manual', 'tester', '{}', 7, now(), now(), now(), now())
        """,
        """
        ml.training_schedules (id, organization_id, project_id, created_at, updated_at)
        values (gen_random_uuid(), @organization, @project, now(), now())
        """,
        """
        ml.audit_log (organization_id, project_id, actor, action, subject, at)
        values (@organization, @project, 'tester', 'change-schedule', 'schedule', now())
        """);

    [Theory]
    [MemberData(nameof(Beginnings))]
    public async Task A_row_names_a_project_of_its_own_organization_or_none(string row)
    {
        var other = await _database.AddOrganizationAsync(Stop);

        Assert.Equal(1, await InsertAsync(row, _organization, _project));
        Assert.Equal(1, await InsertAsync(row, other, project: null));
        await AssertRefusedAsync(row, other, _project);
        await AssertRefusedAsync(row, _organization, Guid.NewGuid());
        await AssertRefusedAsync(row, Guid.NewGuid(), project: null);
    }

    [Theory]
    [InlineData("ml.counted_projects (project_id, organization_id) values (@project, @organization)")]
    [InlineData(
        """
        ml.extraction_results (
            id, organization_id, project_id, job_id, chosen_tier, chosen_reason, answered_tier, prompt_hash, latency_ms, is_valid,
            created_at)
        values (gen_random_uuid(), @organization, @project, gen_random_uuid(), 'base', 'only one', 'base', repeat('0', 64), 1, true,
                now())
        """)]
    public async Task So_does_a_row_that_only_a_project_has(string row)
    {
        var other = await _database.AddOrganizationAsync(Stop);

        Assert.Equal(1, await InsertAsync(row, _organization, _project));
        await AssertRefusedAsync(row, other, await _database.AddProjectAsync(_organization, Stop));
        await AssertRefusedAsync(row, _organization, Guid.NewGuid());
    }

    [Fact]
    public async Task A_schedule_is_not_moved_to_a_project_of_another_organization()
    {
        var other = await _database.AddProjectAsync(await _database.AddOrganizationAsync(Stop), Stop);
        await ScopeRows.AddAsync(_database, _organization, _project, Stop);

        await AssertRefusedAsync(() => ExecuteAsync($"update ml.training_schedules set project_id = '{other}'"));
    }

    [Fact]
    public async Task A_dataset_and_a_model_have_the_scope_of_their_run()
    {
        var run = await ScopeRows.AddAsync(_database, _organization, _project, Stop);
        var second = await _database.AddProjectAsync(_organization, Stop);

        await AssertRefusedAsync(() => ExecuteAsync(
            $"insert into ml.datasets select (jsonb_populate_record(d, jsonb_build_object('id', gen_random_uuid(), 'project_id', '{second}'))).* from ml.datasets d"));
        await AssertRefusedAsync(() => ExecuteAsync($"update ml.datasets set project_id = '{second}'"));
        await ExecuteAsync("set session_replication_role = replica; create table public.kept as select * from ml.fine_tuned_models; delete from ml.fine_tuned_models; set session_replication_role = default");
        await AssertRefusedAsync(() => ExecuteAsync(
            $"insert into ml.fine_tuned_models select (jsonb_populate_record(d, jsonb_build_object('project_id', '{second}'))).* from public.kept d"));
        Assert.Equal(1, await ExecuteAsync("insert into ml.fine_tuned_models select * from public.kept"));
        Assert.NotEqual(Guid.Empty, run);
    }

    [Theory]
    [InlineData("delete from kb.projects")]
    [InlineData("delete from kb.orgs")]
    [InlineData("update kb.projects set organization_id = @other")]
    public async Task What_happens_to_a_run_whose_project_is_gone_can_still_be_written(string deletion)
    {
        var other = await _database.AddOrganizationAsync(Stop);
        await ScopeRows.AddAsync(_database, _organization, _project, Stop);
        await ExecuteAsync(deletion.Replace("@other", $"'{other}'", StringComparison.Ordinal));
        const string entry =
            """
            ml.audit_log (organization_id, project_id, actor, action, subject, at)
            values (@organization, @project, 'system:sweep', 'cancel-training', 'run', now())
            """;

        Assert.Equal(1, await InsertAsync(entry, _organization, _project));
        await AssertRefusedAsync(entry, _organization, Guid.NewGuid());
        await AssertRefusedAsync((string)Beginnings.First().Data!, _organization, _project);
    }

    private async Task<int> InsertAsync(string row, Guid organization, Guid? project)
    {
        // As the chain's login does it.
        await using var db = await _database.Database.OpenConnectionAsync(Stop);
        await using var tx = await db.BeginTransactionAsync(Stop);
        return await db.ExecuteAsync(Sql.Command($"insert into {row}", new { organization, project }, Stop));
    }

    private Task AssertRefusedAsync(string row, Guid organization, Guid? project) =>
        AssertRefusedAsync(() => InsertAsync(row, organization, project));

    private static async Task AssertRefusedAsync(Func<Task> write)
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(write);
        Assert.Equal(
            (PostgresErrorCodes.ForeignKeyViolation, "scope_exists"), (refused.SqlState, refused.ConstraintName));
    }

    private async Task<int> ExecuteAsync(string sql)
    {
        await using var db = await _database.Admin.OpenConnectionAsync(Stop);
        return await db.ExecuteAsync(Sql.Command(sql, null, Stop));
    }
}
