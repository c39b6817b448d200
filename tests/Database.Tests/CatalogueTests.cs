using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>The lint of the catalogue finds nothing, and finds each defect that is put in.</summary>
public sealed class CatalogueTests(SharedDatabase database) : IClassFixture<SharedDatabase>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_migrated_schema_has_no_finding()
    {
        await using var db = await database.Rows.Admin.OpenConnectionAsync(Stop);

        Assert.Empty(await CatalogueLint.RunAsync(db, Stop));
    }

    [Theory]
    [InlineData("alter table ml.datasets disable row level security", "row security is off: datasets")]
    [InlineData("drop policy tenant on ml.datasets", "no tenant policy: datasets")]
    [InlineData("alter policy tenant on ml.datasets using (true)", "no tenant policy: datasets")]
    [InlineData("alter policy tenant on ml.datasets with check (true)", "no tenant policy: datasets")]
    [InlineData("alter policy tenant on ml.datasets to ml_worker", "no tenant policy: datasets")]
    [InlineData(
        "create policy support on ml.datasets for select using (true)", "another permissive policy: support on datasets")]
    [InlineData("alter policy chain on ml.datasets to public", "another permissive policy: chain on datasets")]
    [InlineData("alter policy chain on ml.datasets to ml_worker, ml_api", "another permissive policy: chain on datasets")]
    [InlineData(
        "create policy note on ml.datasets for insert with check (true)", "another permissive policy: note on datasets")]
    [InlineData("create table ml.secrets (id uuid primary key)", "table without organization_id: secrets")]
    [InlineData(
        "create table ml.secrets (id uuid primary key, organization_id uuid)", "table without organization_id: secrets")]
    [InlineData(
        "create table ml.secrets (id uuid primary key, organization_id uuid not null)", "row security is off: secrets")]
    [InlineData(
        "alter table ml.datasets add constraint loose foreign key (run_id) references ml.training_runs (id)",
        "foreign key without organization_id: loose on datasets")]
    [InlineData(
        "alter table ml.datasets add constraint bound foreign key (organization_id) references kb.orgs (id)",
        "foreign key to the product: bound on datasets")]
    [InlineData("create view ml.all_runs as select * from ml.training_runs", "view without security_invoker: all_runs")]
    [InlineData(
        "create materialized view ml.all_runs as select * from ml.training_runs", "view without security_invoker: all_runs")]
    [InlineData(
        "create function ml.peek() returns bigint language sql security definer as 'select count(*) from ml.datasets'",
        "security definer function: peek")]
    [InlineData("alter role ml_api bypassrls", "application role too strong: ml_api")]
    [InlineData("alter role ml_worker createrole", "application role too strong: ml_worker")]
    [InlineData("alter role app_api superuser", "application role too strong: app_api")]
    [InlineData("alter table ml.datasets owner to app_api", "application role owns something: app_api")]
    [InlineData("alter function ml.run_is_final(text) owner to ml_worker", "application role owns something: ml_worker")]
    [InlineData("alter schema ml owner to ml_api", "application role owns something: ml_api")]
    [InlineData("grant postgres to app_api", "application role can become the owner: app_api postgres")]
    [InlineData("grant ml_worker to app_api", "login of the API is in the chain: app_api")]
    [InlineData("grant ml_worker to ml_api", "login of the API is in the chain: app_api")]
    [InlineData("grant truncate on ml.datasets to app", "right that row security does not see: TRUNCATE on datasets for app")]
    [InlineData(
        "grant references on ml.datasets to ml_api", "right that row security does not see: REFERENCES on datasets for ml_api")]
    [InlineData("grant select on ml.datasets to public", "right for everyone: SELECT on datasets")]
    [InlineData(
        "grant select on ml.rejected_messages to ml_api", "API reaches what has no organization: SELECT on rejected_messages")]
    [InlineData(
        "grant update on ml.spending_stops to ml_api", "API reaches what has no organization: UPDATE on spending_stops")]
    [InlineData("grant select on ml.migrations to app_api", "API reaches what has no organization: SELECT on migrations")]
    [InlineData("alter default privileges grant select on tables to app", "right by default: postgres to app")]
    [InlineData(
        "alter default privileges in schema ml grant select on tables to ml_api", "right by default: postgres to ml_api")]
    public async Task A_defect_is_found(string defect, string finding)
    {
        // Rolled back: roles belong to the cluster, and so to the other tests as well.
        await using var db = await database.Rows.Admin.OpenConnectionAsync(Stop);
        await using var tx = await db.BeginTransactionAsync(Stop);
        await ExecuteAsync(db, defect);

        Assert.Contains(finding, await CatalogueLint.RunAsync(db, Stop));
    }

    private static async Task ExecuteAsync(NpgsqlConnection db, string sql)
    {
        await using var command = new NpgsqlCommand(sql, db);
        await command.ExecuteNonQueryAsync(Stop);
    }
}
