using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>The product's own server processes a document again, or withdraws a text.</summary>
public sealed class ReprocessingTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Mark = "select set_config('feedbackloop.reprocessing', 'on', true)";
    private const string Chunks =
        """
        select coalesce(string_agg(
                   c.text || case when c.deleted_at is null then '' else ' (deleted)' end, ', '
                   order by c.deleted_at is null, c.text), '')
        from   kb.chunks c
        """;

    private TestDatabase _database = null!; // xunit initializes these before each test
    private KnowledgeRows _rows = null!;
    private Guid _project;
    private Guid _document;
    private Guid _object;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Stop);
        _rows = new KnowledgeRows(_database.Database);
        _project = await _rows.AddProjectAsync(await _rows.AddOrganizationAsync());
        _document = await _rows.AddDocumentAsync(_project);
        var chunk = await _rows.AddChunkAsync(_document, "one");
        await _rows.AddChunkAsync(_document, "two");
        var job = await _rows.AddJobAsync(_project, chunk);
        _object = await _rows.AddObjectAsync(_project, new() { JobId = job });
        await _rows.AddEvidenceAsync(_object, chunk, job);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task The_function_marks_a_document_s_chunks_and_new_ones_take_their_places()
    {
        var other = await _rows.AddChunkAsync(await _rows.AddDocumentAsync(_project), "other");

        Assert.Equal(2, await CountAsync($"select ml.soft_delete_chunks('{_document}')"));
        await ExecuteAsync(Insert("one again", 0));

        Assert.Equal("one (deleted), two (deleted), one again, other", await ReadAsync());
        Assert.Equal(0, await CountAsync($"select ml.soft_delete_chunks('{other}')"));
        Assert.Equal(1, await CountAsync("select count(*)::int from kb.object_chunks"));
    }

    [Fact]
    public async Task A_second_time_marks_only_what_is_live()
    {
        await ExecuteAsync($"select ml.soft_delete_chunks('{_document}')");
        var first = await _database.ScalarAsync<DateTime>("select max(deleted_at) from kb.chunks", Stop);
        await ExecuteAsync(Insert("one again", 0));

        Assert.Equal(1, await CountAsync($"select ml.soft_delete_chunks('{_document}')"));

        Assert.Equal(
            2, await CountAsync($"select count(*)::int from kb.chunks where deleted_at <= '{first:O}'"));
    }

    [Fact]
    public async Task A_deletion_in_a_marked_transaction_marks_and_keeps_the_evidence()
    {
        await ExecuteAsync($"{Mark}; delete from kb.chunks where document_id = '{_document}'; {Insert("one again", 0)}");

        Assert.Equal("one (deleted), two (deleted), one again", await ReadAsync());
        Assert.Equal(1, await CountAsync("select count(*)::int from kb.object_chunks"));
    }

    [Fact]
    public async Task The_mark_ends_with_its_transaction()
    {
        await using var db = await _database.Database.OpenConnectionAsync(Stop);
        await using (var tx = await db.BeginTransactionAsync(Stop))
        {
            await ExecuteAsync(db, $"{Mark}; delete from kb.chunks where text = 'one'");
            await tx.CommitAsync(Stop);
        }

        await ExecuteAsync(db, "delete from kb.chunks where text = 'two'");

        Assert.Equal("one (deleted)", await ReadAsync());
    }

    [Theory]
    [InlineData("select 1")]
    [InlineData("select set_config('feedbackloop.reprocessing', 'off', true)")]
    [InlineData("select set_config('feedbackloop.reprocessing', '', true)")]
    public async Task A_deletion_is_a_deletion_otherwise_and_takes_marked_chunks_along(string before)
    {
        await ExecuteAsync($"select ml.soft_delete_chunks('{_document}')");
        await ExecuteAsync(Insert("one again", 0));

        await ExecuteAsync($"{before}; delete from kb.chunks where document_id = '{_document}'");

        Assert.Equal("", await ReadAsync());
        Assert.Equal(0, await CountAsync("select count(*)::int from kb.object_chunks"));
    }

    [Theory]
    [InlineData("delete from kb.documents")]
    [InlineData("delete from kb.projects")]
    [InlineData("delete from kb.orgs")]
    public async Task What_goes_with_its_document_is_gone_also_in_a_marked_transaction(string deletion)
    {
        await ExecuteAsync($"select ml.soft_delete_chunks('{_document}')");
        await ExecuteAsync(Insert("one again", 0));

        // Extraction jobs name their documents without a rule for their deletion; the product deletes them first.
        await ExecuteAsync($"{Mark}; delete from kb.object_extraction_jobs; {deletion}");

        Assert.Equal("", await ReadAsync());
    }

    [Fact]
    public async Task Nobody_gets_a_right_by_it()
    {
        await using var api = await _database.Api.OpenConnectionAsync(Stop);
        foreach (var attempt in new[]
        {
            $"select ml.soft_delete_chunks('{_document}')",
            $"{Mark}; delete from kb.chunks",
        })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(api, attempt));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }

        // Row security goes on: a session that is bound to another project sees no chunk of this one.
        Assert.Equal(0, await CountAsync(
            $"""
            select set_config('app.current_project_id', '{Guid.NewGuid()}', true);
            select ml.soft_delete_chunks('{_document}')
            """));
        Assert.Equal("one, two", await ReadAsync());
    }

    [Fact]
    public async Task A_schema_of_the_caller_cannot_put_itself_in_the_way()
    {
        await _database.ExecuteAsync(
            """
            create schema trap;
            create function trap.count() returns bigint language sql as 'select 99::bigint';
            create function trap.clock_timestamp() returns timestamptz language sql as 'select timestamptz ''1999-01-01''';
            grant usage on schema trap to public
            """,
            Stop);

        await ExecuteAsync($"set local search_path = trap, pg_catalog; select ml.soft_delete_chunks('{_document}')");

        Assert.Equal(0, await CountAsync("select count(*)::int from kb.chunks where deleted_at < '2000-01-01'"));
    }

    private string Insert(string text, int index) =>
        $"insert into kb.chunks (document_id, chunk_index, text) values ('{_document}', {index}, '{text}')";

    private Task<string> ReadAsync() => _database.ScalarAsync<string>(Chunks, Stop);

    private async Task<int> CountAsync(string sql)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Stop);
        await using var results = await db.QueryMultipleAsync(Sql.Command(sql, null, Stop));
        object last = 0;
        while (!results.IsConsumed)
        {
            last = await results.ReadSingleAsync<object>();
        }

        return (int)((IDictionary<string, object>)last).Values.Single();
    }

    // One transaction, as Npgsql sends several statements.
    private async Task ExecuteAsync(string sql)
    {
        await using var db = await _database.Database.OpenConnectionAsync(Stop);
        await ExecuteAsync(db, sql);
    }

    private static Task<int> ExecuteAsync(NpgsqlConnection db, string sql) => db.ExecuteAsync(Sql.Command(sql, null, Stop));
}
