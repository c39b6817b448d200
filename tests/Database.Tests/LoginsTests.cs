using Dapper;
using FeedbackLoop.Access;
using FeedbackLoop.Local;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>
/// <c>infra/database/logins.sql</c>, run by psql as the owner of the product's tables before the first migration, and what the two
/// logins may do then. That it is enough for every step is tested with the chain, in <c>tests/Pipeline.Tests</c>.
/// </summary>
public sealed class LoginsTests(LoginsTests.Deployment deployment) : IClassFixture<LoginsTests.Deployment>
{
    private const string Api = "feedback_loop_api";
    private const string Worker = "feedback_loop_worker";

    // Login, object, rights: all that the script gives, which for the API's is nothing. In ml they have what their group has, which
    // PrivilegeTests knows, and what the API's reads of the product its group has too, which ProductReadingTests knows.
    private const string Expected =
        """
        feedback_loop_worker  schema core                       usage
        feedback_loop_worker  schema kb                         usage
        feedback_loop_worker  core.user_profiles                select
        feedback_loop_worker  kb.chunks                         select
        feedback_loop_worker  kb.documents                      select
        feedback_loop_worker  kb.graph_objects                  insert, select
        feedback_loop_worker  kb.graph_relationships            insert, select
        feedback_loop_worker  kb.graph_template_packs           select
        feedback_loop_worker  kb.notifications                  insert, select
        feedback_loop_worker  kb.object_chunks                  insert, select
        feedback_loop_worker  kb.object_extraction_jobs         select, update
        feedback_loop_worker  kb.organization_memberships       select
        feedback_loop_worker  kb.orgs                           select
        feedback_loop_worker  kb.project_memberships            select
        feedback_loop_worker  kb.project_object_type_registry   select
        feedback_loop_worker  kb.project_template_packs         select
        feedback_loop_worker  kb.projects                       select
        """;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_logins_have_these_rights_on_the_products_tables_and_no_other() =>
        Assert.Equal(
            Expected.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).Order(),
            (await ReadRightsAsync()).Order());

    [Fact]
    public async Task They_own_nothing_and_are_members_of_one_group_each()
    {
        Assert.Equal(
            [$"{Api} ml_api", $"{Worker} ml_worker"],
            await ListAsync(
                """
                select member::regrole || ' ' || roleid::regrole
                from   pg_auth_members
                where  member::regrole::text like 'feedback_loop_%'
                order  by 1
                """));
        Assert.Empty(await ListAsync(
            """
            select rolname::text
            from   pg_roles
            where  rolname like any (array['feedback\_loop\_%', 'ml\_%'])
            and    (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication
                    or rolcanlogin <> (rolname like 'feedback%'))
            """));
        Assert.Empty(await ListAsync("select relname::text from pg_class where relowner::regrole::text like 'feedback_loop_%'"));
    }

    [Fact]
    public async Task Running_it_again_changes_nothing()
    {
        var before = await SnapshotAsync();

        await deployment.RunScriptAsync(Stop);

        Assert.Equal(before, await SnapshotAsync());
        Assert.Equal(0, deployment.Migrate());
    }

    [Fact]
    public async Task The_API_sees_its_organization_alone_and_nothing_without_one()
    {
        var (own, other) = (await AddRunAsync(), await AddRunAsync());
        await using var api = deployment.Open(Api);
        var tenants = new TenantConnections(api);

        Assert.Equal([own], await OrganizationsSeenAsync(tenants, own));
        Assert.Equal([other], await OrganizationsSeenAsync(tenants, other));
        Assert.Empty(await OrganizationsSeenAsync(tenants));
        await using var db = await tenants.OpenAsync([own], Stop);
        Assert.Equal(0, await db.ExecuteAsync(Sql.Command(
            "update ml.training_runs set reason = 'mine' where organization_id = @other", new { other }, Stop)));
    }

    [Theory]
    [InlineData(Worker)]
    [InlineData(OrdinaryOwner.Name)]
    public async Task The_API_refuses_to_work_with_another_login(string login)
    {
        await using var database = deployment.Open(login);

        await Assert.ThrowsAsync<InvalidOperationException>(() => new TenantConnections(database).OpenAsync([], Stop));
    }

    [Theory]
    [InlineData(Api, "insert into kb.graph_objects (project_id, type, canonical_id) values (gen_random_uuid(), 't', gen_random_uuid())")]
    [InlineData(Api, "update kb.object_extraction_jobs set status = 'pending'")]
    [InlineData(Api, "select * from kb.notifications")]
    [InlineData(Api, "select filename from kb.documents")]
    [InlineData(Api, "select * from kb.graph_objects")]
    [InlineData(Api, "select * from ml.rejected_messages")]
    [InlineData(Api, "update ml.training_runs set state = 'succeeded', dataset_id = null")]
    [InlineData(Api, "update ml.fine_tuned_models set vertex_endpoint = 'mine'")]
    [InlineData(Api, "set role ml_worker")]
    [InlineData(Worker, "update kb.graph_objects set reviewed_by = gen_random_uuid()")]
    [InlineData(Worker, "delete from kb.chunks")]
    [InlineData(Worker, "update kb.projects set name = ''")]
    [InlineData(Worker, "update kb.notifications set read = true")]
    [InlineData(Worker, "insert into kb.organization_memberships (organization_id, user_id, role) values (gen_random_uuid(), gen_random_uuid(), 'org_admin')")]
    [InlineData(Worker, "delete from ml.audit_log")]
    [InlineData(Worker, "create table ml.mine (id int)")]
    [InlineData(Worker, "set role product_owner")]
    public async Task What_no_step_does_is_refused(string login, string sql)
    {
        await using var database = deployment.Open(login);
        await using var db = await database.OpenConnectionAsync(Stop);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => db.ExecuteAsync(Sql.Command(sql, null, Stop)));

        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    /// <summary>An organization with a run.</summary>
    private async Task<Guid> AddRunAsync()
    {
        await using var db = await deployment.Admin.OpenConnectionAsync(Stop);
        var organization = await db.QuerySingleAsync<Guid>(Sql.Command("insert into kb.orgs (name) values ('o') returning id", null, Stop));
        await using var database = deployment.Open(Worker);
        await using var worker = await database.OpenConnectionAsync(Stop);
        var request = new RunRequest(
            new Scope(organization, null), RunPurpose.Training, RunTrigger.Manual, "tester", RunParameters.Default, Key: null);
        Assert.IsType<RunRequestOutcome.Accepted>(await worker.RequestRunAsync(request, TimeProvider.System.GetUtcNow(), Stop));
        return organization;
    }

    private static async Task<IEnumerable<Guid>> OrganizationsSeenAsync(TenantConnections tenants, params Guid[] organizations)
    {
        await using var db = await tenants.OpenAsync(organizations, Stop);
        return await db.QueryAsync<Guid>(Sql.Command("select organization_id from ml.training_runs", null, Stop));
    }

    private async Task<IReadOnlyList<string>> SnapshotAsync() =>
    [
        .. await ReadRightsAsync(),
        .. await ListAsync("select r::text from (select rolname, rolcanlogin, rolsuper, rolbypassrls, rolconfig from pg_roles order by 1) r"),
        .. await ListAsync("select m::text from (select roleid, member, admin_option from pg_auth_members order by 1, 2) m"),
    ];

    private Task<IReadOnlyList<string>> ReadRightsAsync() => ListAsync(
        """
        with rights as (
            select 'schema ' || n.nspname as subject, p.grantee, lower(p.privilege_type) as privilege
            from   pg_namespace n
            cross  join lateral aclexplode(n.nspacl) p
            union  all
            select c.relnamespace::regnamespace || '.' || c.relname, p.grantee, lower(p.privilege_type)
            from   pg_class c
            cross  join lateral aclexplode(c.relacl) p
            union  all
            select c.relnamespace::regnamespace || '.' || c.relname || '.' || a.attname, p.grantee, lower(p.privilege_type)
            from   pg_class c
            join   pg_attribute a on a.attrelid = c.oid
            cross  join lateral aclexplode(a.attacl) p
        )
        select grantee::regrole || ' ' || subject || ' ' || string_agg(privilege, ', ' order by privilege)
        from   rights
        where  grantee::regrole::text like 'feedback_loop_%'
        group  by grantee, subject
        order  by 1
        """);

    private async Task<IReadOnlyList<string>> ListAsync(string sql)
    {
        await using var db = await deployment.Admin.OpenConnectionAsync(Stop);
        return [.. await db.QueryAsync<string>(Sql.Command(sql, null, Stop))];
    }

    /// <summary>The product's database on a server of its own, as somebody has set it up by the page.</summary>
    public sealed class Deployment : IAsyncLifetime
    {
        private const string Database = "product";

        private LocalPostgres _server = null!;  // xunit initializes it before the first test

        public NpgsqlDataSource Admin { get; private set; } = null!;  // likewise

        public async ValueTask InitializeAsync()
        {
            Assert.SkipWhen(Psql.Find() is null, Psql.Missing);
            _server = await LocalPostgres.StartAsync(new LocalPostgresOptions(), CancellationToken.None);
            await _server.CreateDatabaseAsync(Database, template: null, CancellationToken.None);
            Admin = Open("postgres");
            KnowledgeSchema.Migrate(Admin.ConnectionString, _ => { });
            await OrdinaryOwner.TakeOverAsync(Admin, Database, CancellationToken.None);

            // The local logins have brought the groups, which no other server has before the script.
            await using var command = Admin.CreateCommand(
                $"drop role ml_api; drop role ml_worker; alter role {OrdinaryOwner.Name} createrole");
            await command.ExecuteNonQueryAsync();
            await RunScriptAsync(CancellationToken.None);
            Migrate();
        }

        public NpgsqlDataSource Open(string login) =>
            NpgsqlDataSource.Create(_server.ConnectionString(Database, login) + ";Pooling=false");

        public int Migrate() => Migrator.Migrate(_server.ConnectionString(Database, OrdinaryOwner.Name) + ";Pooling=false", _ => { });

        public async Task RunScriptAsync(CancellationToken cancellationToken)
        {
            var (exitCode, output) = await Psql.RunAsync(
                _server.ConnectionString(Database, OrdinaryOwner.Name), "logins.sql", [$"api={Api}", $"worker={Worker}"],
                cancellationToken);
            Assert.True(exitCode == 0, output);
        }

        public async ValueTask DisposeAsync()
        {
            if (Admin is not null)
            {
                await Admin.DisposeAsync();
                await _server.DisposeAsync();
            }
        }
    }
}
