using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Cli;

public sealed class MigrateTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;  // xunit initializes it before each test

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Owner => _database.Admin.ConnectionString;

    private string Empty =>
        new NpgsqlConnectionStringBuilder(Owner) { Database = $"{_database.Name}_empty" }.ConnectionString;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Cancellation);
        await _database.ExecuteAsync($"create database {_database.Name}_empty", Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _database.ExecuteAsync($"drop database {_database.Name}_empty with (force)", Cancellation);
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_database_without_the_products_tables_is_refused()
    {
        var result = await RunAsync(Empty);

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("add --with-knowledge-tables", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_tables_are_made_and_the_second_time_there_is_nothing_to_do()
    {
        var first = await RunAsync(Empty, "--with-knowledge-tables", "--json");
        var second = await RunAsync(Empty, "--with-knowledge-tables", "--json");
        var third = await RunAsync(Empty);

        Assert.Equal("created", first.Json.GetProperty("knowledgeTables").GetString());
        Assert.True(first.Json.GetProperty("applied").GetInt32() >= 3);
        Assert.Equal("""{"applied":0,"knowledgeTables":"present"}""", second.Json.ToString());
        Assert.Equal("The database is up to date.\n", third.Output);
    }

    [Fact]
    public async Task Several_at_once_make_every_table_once()
    {
        var results = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(_ => RunAsync(Empty, "--with-knowledge-tables", "--json")));

        Assert.All(results, r => Assert.Equal((0, ""), (r.ExitCode, r.Error)));

        // The product's tables and ours are two turns, which two of them may take; each file is applied by one of them.
        await using var empty = NpgsqlDataSource.Create(Empty + ";Pooling=false");
        await using var files = empty.CreateCommand(
            """
            select count(*)
            from   (select name from ml.migrations union all select name from local.migrations) m
            where  name like 'V%.sql'
            """);
        Assert.Equal(await files.ExecuteScalarAsync(Cancellation), results.Sum(r => r.Json.GetProperty("applied").GetInt64()));
        Assert.True(results.Max(r => r.Json.GetProperty("applied").GetInt64()) >= 3);
    }

    [Fact]
    public async Task Tables_of_the_product_itself_stay_as_they_are()
    {
        await BecomeTheProductsOwnAsync();

        var result = await RunAsync(Owner, "--with-knowledge-tables", "--json");

        Assert.Equal("present", result.Json.GetProperty("knowledgeTables").GetString());
        Assert.True(result.Json.GetProperty("applied").GetInt32() >= 2);
        Assert.False(await _database.ScalarAsync<bool>("select to_regclass('local.migrations') is not null", Cancellation));
    }

    [Fact]
    public async Task The_products_database_needs_no_option()
    {
        await BecomeTheProductsOwnAsync();

        Assert.Equal(0, (await RunAsync(Owner)).ExitCode);
        Assert.Equal(0, await _database.ScalarAsync<long>("select count(*) from ml.training_runs", Cancellation));
    }

    [Fact]
    public async Task A_migration_that_has_changed_is_refused()
    {
        await _database.ExecuteAsync("update ml.migrations set checksum = 'other' where type = 0", Cancellation);

        var result = await RunAsync(Owner);

        Assert.Equal(3, result.ExitCode);
        Assert.StartsWith(
            "error: a migration that was applied earlier is not the same any more: ", result.Error,
            StringComparison.Ordinal);
        Assert.EndsWith("put the change into a new migration.\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_without_rights_is_told_so()
    {
        await BecomeTheProductsOwnAsync();

        var result = await RunAsync(_database.ConnectionString);

        Assert.Equal(4, result.ExitCode);
        Assert.Contains("Connect as the owner of the tables", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    // The tables without any trace of our migrations, and with the old uniqueness of chunks.
    private Task BecomeTheProductsOwnAsync() => _database.ExecuteAsync(
        """
        drop schema ml cascade;
        drop schema local cascade;
        alter table kb.chunks drop column deleted_at;
        alter table kb.chunks add unique (document_id, chunk_index);
        """,
        Cancellation);

    private static Task<CommandResult> RunAsync(string database, params string[] args) =>
        FeedbackloopProcess.RunAsync(database, input: "", ["migrate", .. args]);
}
