using Dapper;
using FeedbackLoop.Access;
using FeedbackLoop.Platform;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>
/// What the API's login reads of the product: the columns that the documents list, in rows of its session's organizations. The
/// tables come from the catalogue, so that one that somebody lets it read is looked at as well.
/// </summary>
public sealed class ProductReadingTests(PostgresFixture postgres) : IAsyncLifetime
{
    // The product's tables, whatever schema they are in; the clock is the tests' own.
    private const string Columns =
        """
        select c.relnamespace::regnamespace || '.' || c.relname as table_name, a.attname::text as column_name,
               has_column_privilege('app_api', c.oid, a.attnum, 'select') as is_readable
        from   pg_class c
        join   pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where  c.relkind in ('r', 'p', 'v', 'm', 'f')
        and    c.relnamespace::regnamespace::text not in ('ml', 'testclock', 'pg_catalog', 'information_schema', 'pg_toast')
        order  by 1, a.attnum
        """;

    private static readonly IReadOnlyList<ReadTable> Listed = ProductReadingList.Read();

    private TestDatabase _database = null!;  // xunit initializes it before each test
    private KnowledgeRows _rows = null!;
    private Guid _organization;
    private Guid _project;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Stop);
        _rows = new KnowledgeRows(_database.Admin);
        _organization = await _rows.AddOrganizationAsync();
        _project = await AddProjectAsync(_organization);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_columns_are_those_of_the_list(bool isLater)
    {
        await UseGenerationAsync(isLater);
        var readable = await ReadableAsync();
        var there = (await ColumnsAsync()).Select(column => column.Table).ToHashSet();

        Assert.NotEmpty(Listed);
        Assert.Equal(
            Listed.Where(table => there.Contains(table.Table)).OrderBy(table => table.Table, StringComparer.Ordinal)
                .Select(table => $"{table.Table}: {string.Join(", ", table.Columns)}"),
            readable.Select(table => $"{table.Key}: {string.Join(", ", table.Order(StringComparer.Ordinal))}"));
    }

    [Fact]
    public async Task It_has_no_other_right_there() =>
        Assert.Empty(await QueryAsync(
            """
            select c.relnamespace::regnamespace || '.' || c.relname || ' ' || w.privilege
            from   pg_class c
            cross  join unnest(array['insert', 'update', 'references']) as w (privilege)
            where  c.relkind in ('r', 'p', 'v', 'm', 'f')
            and    c.relnamespace::regnamespace::text in ('kb', 'core', 'public')
            and    has_any_column_privilege('app_api', c.oid, w.privilege)
            union  all
            select c.relnamespace::regnamespace || '.' || c.relname || ' ' || w.privilege
            from   pg_class c
            cross  join unnest(array['delete', 'truncate', 'trigger']) as w (privilege)
            where  c.relkind in ('r', 'p', 'v', 'm', 'f')
            and    c.relnamespace::regnamespace::text in ('kb', 'core', 'public')
            and    has_table_privilege('app_api', c.oid, w.privilege)
            """));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_column_outside_of_the_list_is_refused(bool isLater)
    {
        await UseGenerationAsync(isLater);
        var listed = Listed.SelectMany(table => table.Columns.Select(column => (table.Table, column))).ToHashSet();
        var outside = (await ColumnsAsync()).Where(column => !listed.Contains((column.Table, column.Name))).ToList();
        Assert.True(outside.Count > 100);
        await using var db = await OpenAsync(_organization);

        foreach (var (table, column, _) in outside)
        {
            var refused = await Record.ExceptionAsync(
                () => db.ExecuteAsync(Sql.Command($"select \"{column}\" from {table}", null, Stop)));

            Assert.Equal(
                (table, column, PostgresErrorCodes.InsufficientPrivilege),
                (table, column, (refused as PostgresException)?.SqlState));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_is_seen_without_an_organization_or_with_a_foreign_one(bool isLater)
    {
        await UseGenerationAsync(isLater);
        var foreign = await _rows.AddOrganizationAsync();
        await _rows.AddProjectAsync(foreign);
        var ofTenant = Listed.ToDictionary(table => table.Table, table => table.IsOfTenant);
        var readable = (await ReadableAsync()).Select(table => table.Key).ToList();
        Assert.True(readable.Count > 10);

        foreach (var table in readable)
        {
            var all = await _database.ScalarAsync<long>($"select count(*) from {table}", Stop);
            Assert.True(all > 0, $"{table} has no row here, so that nothing is shown of it: add one to {nameof(AddProjectAsync)}");
            var expected = ofTenant.GetValueOrDefault(table, defaultValue: true) ? (0, 0, all) : (all, all, all);

            Assert.Equal(
                (table, expected),
                (table, (await CountAsync(table), await CountAsync(table, foreign), await CountAsync(table, _organization))));
        }
    }

    [Fact]
    public async Task Of_two_organizations_a_session_sees_the_one_that_it_names()
    {
        var other = await _rows.AddOrganizationAsync();
        await AddProjectAsync(other);

        foreach (var table in Listed.Where(table => table.IsOfTenant && !table.Table.Contains("schema", StringComparison.Ordinal)))
        {
            var all = await _database.ScalarAsync<long>($"select count(*) from {table.Table}", Stop);

            Assert.Equal((table.Table, all / 2), (table.Table, await CountAsync(table.Table, other)));
            Assert.Equal((table.Table, all), (table.Table, await CountAsync(table.Table, _organization, other)));
        }
    }

    [Fact]
    public async Task The_products_own_logins_see_what_they_saw()
    {
        await AddProjectAsync(await _rows.AddOrganizationAsync());
        await using var db = await _database.Database.OpenConnectionAsync(Stop);

        foreach (var (table, setting) in
            from table in Listed.Where(table => table.IsOfTenant && !table.Table.Contains("schema", StringComparison.Ordinal))
            from setting in (string[])["", _project.ToString()]
            select (table.Table, setting))
        {
            var all = await _database.ScalarAsync<long>($"select count(*) from {table}", Stop);
            await db.ExecuteAsync(Sql.Command(
                "select set_config('app.current_project_id', @setting, false)", new { setting }, Stop));

            Assert.Equal(
                (table, setting, setting.Length == 0 ? all : all / 2),
                (table, setting, await db.QuerySingleAsync<long>(Sql.Command($"select count(*) from {table}", null, Stop))));
        }
    }

    [Fact]
    public async Task The_organizations_are_looked_up_once_a_statement_and_their_projects_hashed()
    {
        await using var db = await OpenAsync(_organization);

        foreach (var table in Listed.Where(table => table is { IsOfTenant: true } && table.Columns.Contains("project_id")
            && !table.Table.Contains("schema", StringComparison.Ordinal)))
        {
            var plan = string.Join('\n', await db.QueryAsync<string>(
                Sql.Command($"explain (costs off) select count(*) from {table.Table}", null, Stop)));

            Assert.Contains("hashed SubPlan", plan, StringComparison.Ordinal);
            Assert.Contains("InitPlan", plan, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("alter table kb.chunks disable row level security")]
    [InlineData("drop policy ml_tenant on kb.documents; drop policy ml_tenant on kb.chunks; drop policy ml_tenant on kb.object_chunks; "
        + "drop policy ml_tenant on kb.graph_objects; drop policy ml_tenant on kb.graph_relationships; "
        + "drop policy ml_tenant on kb.object_extraction_jobs; drop policy ml_tenant on kb.project_object_type_registry; "
        + "drop policy ml_tenant on kb.project_template_packs")]
    public async Task The_API_does_not_work_where_this_layer_is_off(string sql)
    {
        await _database.ExecuteAsync(sql, Stop);

        await Assert.ThrowsAsync<InvalidOperationException>(() => OpenAsync(_organization));
    }

    private Task<NpgsqlConnection> OpenAsync(params Guid[] organizations) =>
        new TenantConnections(_database.Api).OpenAsync(organizations, Stop);

    /// <summary>Rows that a session for these organizations sees; without one, of a session that nobody has set up.</summary>
    private async Task<long> CountAsync(string table, params Guid[] organizations)
    {
        await using var db = organizations.Length == 0
            ? await _database.Api.OpenConnectionAsync(Stop)
            : await OpenAsync(organizations);
        return await db.QuerySingleAsync<long>(Sql.Command($"select count(*) from {table}", null, Stop));
    }

    private async Task<ILookup<string, string>> ReadableAsync() =>
        (await ColumnsAsync()).Where(column => column.IsReadable).OrderBy(column => column.Table, StringComparer.Ordinal)
            .ToLookup(column => column.Table, column => column.Name);

    private async Task<IReadOnlyList<(string Table, string Name, bool IsReadable)>> ColumnsAsync()
    {
        await using var db = await _database.Admin.OpenConnectionAsync(Stop);
        return (await db.QueryAsync<(string, string, bool)>(Sql.Command(Columns, null, Stop))).AsList();
    }

    private async Task<IReadOnlyList<string>> QueryAsync(string sql)
    {
        await using var db = await _database.Admin.OpenConnectionAsync(Stop);
        return (await db.QueryAsync<string>(Sql.Command(sql, null, Stop))).AsList();
    }

    private Task UseGenerationAsync(bool isLater) =>
        isLater ? LaterGeneration.ApplyAsync(_database.Admin, Stop) : Task.CompletedTask;

    /// <summary>A project with a row in each table that is read.</summary>
    private async Task<Guid> AddProjectAsync(Guid organization)
    {
        var project = await _rows.AddProjectAsync(organization);
        var chunk = await _rows.AddChunkAsync(await _rows.AddDocumentAsync(project), "The ledger books payments.");
        var job = await _rows.AddJobAsync(project, chunk);
        var thing = await _rows.AddObjectAsync(project, new() { Name = "Ledger", JobId = job });
        await _rows.AddRelationshipAsync(project, thing, thing);
        await _rows.AddEvidenceAsync(thing, chunk, job);
        await _database.ExecuteAsync(
            $$"""
            with person as (
                insert into core.user_profiles (zitadel_user_id) values ('{{project}}') returning id
            ), of_organization as (
                insert into kb.organization_memberships (organization_id, user_id, role)
                select '{{organization}}', id, 'org_admin' from person
            ), pack as (
                insert into kb.graph_template_packs (name, version, object_type_schemas) values ('pack', '1', '{}') returning id
            ), installed as (
                insert into kb.project_template_packs (project_id, template_pack_id) select '{{project}}', id from pack
            ), registered as (
                insert into kb.project_object_type_registry (project_id, type_name, source, json_schema)
                values ('{{project}}', 'System', 'manual', '{}')
            )
            insert into kb.project_memberships (project_id, user_id, role)
            select '{{project}}', id, 'project_admin' from person
            """,
            Stop);
        return project;
    }
}
