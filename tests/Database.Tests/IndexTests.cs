using FeedbackLoop.Local;
using FeedbackLoop.Platform;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>Our indexes on the product's tables, beside those that the product brings in its two generations.</summary>
public sealed class IndexTests(OwnerTests.Cluster cluster) : IClassFixture<OwnerTests.Cluster>, IAsyncLifetime
{
    private const string Database = "product";

    // What its first server had besides those of migrations/knowledge.
    private const string EarlierIndexes =
        """
        create index "IDX_d841de45a719fe1f35213d7920" on kb.chunks using btree (document_id);
        create index idx_extraction_jobs_document on kb.object_extraction_jobs using btree (document_id)
            where (document_id is not null);
        """;

    private const string Names =
        """
        select coalesce(array_agg(c.relname::text order by c.relname), '{}')
        from   pg_index i
        join   pg_class c on c.oid = i.indexrelid
        where  c.relnamespace = 'kb'::regnamespace
        """;

    // An index that another one could stand in for: the same columns come first there, and it has at least the same rows.
    private const string Served =
        """
        with indexes as (
            select i.indrelid, c.relname::text as name, i.indisunique, c.relam, i.indclass::oid[] as classes,
                   pg_get_expr(i.indpred, i.indrelid) as predicate,
                   (select array_agg(pg_get_indexdef(i.indexrelid, k, false) order by k)
                    from   generate_series(1, i.indnkeyatts) k) as columns
            from   pg_index i
            join   pg_class c on c.oid = i.indexrelid
            where  c.relnamespace = 'kb'::regnamespace
        )
        select coalesce(array_agg(a.name || ' by ' || b.name order by a.name, b.name), '{}')
        from   indexes a
        join   indexes b on b.indrelid = a.indrelid and b.name <> a.name and b.relam = a.relam
        where  not a.indisunique
        and    a.name <> all (@known)
        and    b.columns[1:cardinality(a.columns)] = a.columns
        and    b.classes[0:cardinality(a.columns) - 1] = a.classes[0:cardinality(a.columns) - 1]
        and    (b.predicate is null or b.predicate = a.predicate)
        """;

    private readonly NpgsqlDataSource _admin =
        NpgsqlDataSource.Create(cluster.Postgres.ConnectionString(Database) + ";Pooling=false");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await cluster.Postgres.CreateDatabaseAsync(Database, template: null, Stop);
        KnowledgeSchema.Migrate(_admin.ConnectionString, _ => { });
    }

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        await cluster.Postgres.DropDatabaseAsync(Database, CancellationToken.None);
    }

    [Fact]
    public async Task Beside_the_local_copy_each_of_ours_is_needed() =>
        Assert.Equal(
            [
                "chunks_deleted", "chunks_document", "chunks_live_index", "graph_objects_extraction", "graph_objects_project",
                "object_extraction_jobs_chunk", "object_extraction_jobs_document", "object_extraction_jobs_source",
                "projects_organization",
            ],
            await AddedAsync());

    [Fact]
    public async Task Beside_the_earlier_server_s_those_are_left_out_that_it_has()
    {
        await ExecuteAsync(EarlierIndexes);

        Assert.Equal(
            [
                "chunks_deleted", "chunks_live_index", "graph_objects_extraction", "graph_objects_project",
                "object_extraction_jobs_chunk", "object_extraction_jobs_source", "projects_organization",
            ],
            await AddedAsync());
    }

    [Fact]
    public async Task Beside_the_later_server_s_likewise()
    {
        await LaterGeneration.ApplyAsync(_admin, Stop);

        Assert.Equal(
            [
                "chunks_deleted", "chunks_live_index", "graph_objects_extraction", "object_extraction_jobs_chunk",
                "object_extraction_jobs_document", "object_extraction_jobs_source", "projects_organization",
            ],
            await AddedAsync());
    }

    [Theory]
    [InlineData("on kb.graph_objects (project_id, type, created_at desc)", "graph_objects_project")]
    [InlineData("on kb.graph_objects (extraction_job_id)", "graph_objects_extraction")]
    [InlineData("on kb.object_extraction_jobs (chunk_id)", "object_extraction_jobs_chunk")]
    [InlineData("on kb.object_extraction_jobs (lower(source_id)) where source_id is not null", "object_extraction_jobs_source")]
    [InlineData("on kb.projects (organization_id, name)", "projects_organization")]
    public async Task One_that_serves_as_well_takes_the_place_of_ours(string definition, string ours)
    {
        await ExecuteAsync($"create index products {definition}");

        Assert.DoesNotContain(ours, await AddedAsync());
    }

    [Theory]
    [InlineData("on kb.graph_objects (type, project_id)", "graph_objects_project")]
    [InlineData("on kb.graph_objects (project_id) where deleted_at is null", "graph_objects_project")]
    [InlineData("on kb.graph_objects using hash (project_id)", "graph_objects_project")]
    [InlineData("on kb.object_extraction_jobs (source_id)", "object_extraction_jobs_source")]
    [InlineData("on kb.object_extraction_jobs (lower(source_id) text_pattern_ops)", "object_extraction_jobs_source")]
    [InlineData("on kb.object_extraction_jobs (document_id) where status = 'pending'", "object_extraction_jobs_document")]
    [InlineData("on kb.projects (organization_id) where deleted_at is null", "projects_organization")]
    public async Task One_that_does_not_serve_leaves_ours(string definition, string ours)
    {
        await ExecuteAsync($"create index products {definition}");

        Assert.Contains(ours, await AddedAsync());
    }

    /// <summary>Migrates, and finds no index of ours that another one could stand in for.</summary>
    /// <returns>The names of ours.</returns>
    private async Task<IEnumerable<string>> AddedAsync()
    {
        var before = await ListAsync(Names);
        Migrator.Migrate(_admin.ConnectionString, _ => { });
        Assert.Empty(await ListAsync(Served, before));
        return (await ListAsync(Names)).Except(before);
    }

    private async Task<string[]> ListAsync(string sql, string[]? known = null)
    {
        await using var command = _admin.CreateCommand(sql);
        command.Parameters.AddWithValue("known", known ?? []);
        return (string[])(await command.ExecuteScalarAsync(Stop))!; // one row, by the aggregate
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _admin.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Stop);
    }
}
