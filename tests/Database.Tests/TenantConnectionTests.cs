using FeedbackLoop.Access;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Database.Tests;

/// <summary>A session sees the organizations it was opened for, and leaves nothing to the next one.</summary>
public sealed class TenantConnectionTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;  // xunit initializes it before each test
    private NpgsqlDataSource _oneConnection = null!;
    private Guid _organization;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Stop);
        _oneConnection = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(_database.ApiConnectionString) { MaxPoolSize = 1 }.ConnectionString);
        _organization = await AddOrganizationWithRunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _oneConnection.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_session_sees_the_organizations_it_is_opened_for()
    {
        var other = await AddOrganizationWithRunAsync();
        await AddOrganizationWithRunAsync();

        Assert.Equal(1, await CountAsync([_organization]));
        Assert.Equal(2, await CountAsync([_organization, other]));
        Assert.Equal(0, await CountAsync([]));
        Assert.Equal(0, await CountAsync([Guid.NewGuid()]));
    }

    [Fact]
    public async Task It_keeps_them_over_its_transactions()
    {
        await using var db = await Tenants().OpenAsync([_organization], Stop);
        await using (await db.BeginTransactionAsync(Stop))
        {
            Assert.Equal(1, await CountAsync(db));
        }

        Assert.Equal(1, await CountAsync(db));
    }

    [Fact]
    public async Task The_next_borrower_of_a_connection_sees_nothing()
    {
        var first = await UseAsync(async db => await CountAsync(db));

        await AssertNextSeesNothingAsync(first);
    }

    [Fact]
    public async Task Nor_after_a_statement_that_failed()
    {
        var first = await UseAsync(async db =>
            await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(db, "select 1 / 0", Stop)));

        await AssertNextSeesNothingAsync(first);
    }

    [Fact]
    public async Task Nor_after_an_exception_in_the_middle_of_a_transaction()
    {
        var first = await UseAsync(async db =>
        {
            await db.BeginTransactionAsync(Stop);
            await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(db, "select 1 / 0", Stop));
        });

        await AssertNextSeesNothingAsync(first);
    }

    [Fact]
    public async Task Nor_after_a_transaction_that_was_rolled_back()
    {
        var first = await UseAsync(async db =>
        {
            await using var tx = await db.BeginTransactionAsync(Stop);
            await ExecuteAsync(db, "update ml.training_runs set updated_at = now()", Stop);
            await tx.RollbackAsync(Stop);
        });

        await AssertNextSeesNothingAsync(first);
    }

    [Fact]
    public async Task Nor_after_a_statement_that_was_cancelled()
    {
        var first = await UseAsync(async db =>
        {
            using var impatience = new CancellationTokenSource();
            var sleep = ExecuteAsync(db, "select pg_sleep(3600)", impatience.Token);
            await Patience.UntilAsync(
                () => _database.ScalarAsync<bool>(
                    $"select wait_event = 'PgSleep' from pg_stat_activity where pid = {db.ProcessID}", Stop),
                () => "the statement has not begun");
            await impatience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleep);
        });

        await AssertNextSeesNothingAsync(first);
    }

    [Fact]
    public async Task Nor_when_prepared_statements_keep_the_session_from_a_full_reset()
    {
        var first = await UseAsync(async db =>
        {
            await using var command = new NpgsqlCommand("select count(*) from ml.training_runs", db);
            await command.PrepareAsync(Stop);
            Assert.Equal(1L, await command.ExecuteScalarAsync(Stop));
        });

        await AssertNextSeesNothingAsync(first);
    }

    [Fact]
    public async Task The_same_connection_without_a_reset_would_show_the_rows()
    {
        await using var leaky = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(_oneConnection.ConnectionString) { NoResetOnClose = true }.ConnectionString);
        await using (await new TenantConnections(leaky).OpenAsync([_organization], Stop))
        {
        }

        await using var next = await leaky.OpenConnectionAsync(Stop);
        Assert.Equal(1, await CountAsync(next));
    }

    [Theory]
    [InlineData("No Reset On Close=true", "'No Reset On Close=true'")]
    [InlineData("NoResetOnClose=True", "'No Reset On Close=true'")]
    [InlineData("Multiplexing=true", "'Multiplexing=true'")]
    [InlineData("Unknown=1", "cannot be read")]
    public void A_connection_string_that_would_mix_sessions_is_refused(string setting, string reason)
    {
        var result = Validate($"Host=h;Password=secret;{setting}");

        Assert.True(result.Failed);
        Assert.Contains(reason, result.FailureMessage, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void An_ordinary_connection_string_is_taken() =>
        Assert.True(Validate(_database.ApiConnectionString).Succeeded);

    [Fact]
    public async Task A_user_of_the_chain_is_refused() =>
        await AssertRefusedAsync(_database.Database, "The database user app sees every organization.");

    [Fact]
    public async Task A_superuser_is_refused() =>
        await AssertRefusedAsync(_database.Admin, "The database user postgres sees every organization.");

    [Fact]
    public async Task The_owner_of_the_tables_is_refused()
    {
        await _database.ExecuteAsync("alter table ml.training_runs owner to app_api", Stop);

        await AssertRefusedAsync(_database.Api, "The database user app_api sees every organization.");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{NULL}")]
    public async Task A_setting_without_organizations_shows_nothing(string setting)
    {
        await using var db = await _database.Api.OpenConnectionAsync(Stop);
        await ExecuteAsync(db, $"select set_config('app.organizations', '{setting}', false)", Stop);

        Assert.Equal(0, await CountAsync(db));
    }

    [Fact]
    public async Task A_setting_that_is_no_array_is_an_error()
    {
        await using var db = await _database.Api.OpenConnectionAsync(Stop);
        await ExecuteAsync(db, $"select set_config('app.organizations', '{_organization}', false)", Stop);

        var error = await Assert.ThrowsAsync<PostgresException>(() => CountAsync(db));
        Assert.Equal(PostgresErrorCodes.InvalidTextRepresentation, error.SqlState);
    }

    private TenantConnections Tenants() => new(_oneConnection);

    /// <summary>Borrows the one connection for the organization, and gives it back.</summary>
    /// <returns>The process that served it, to know it again.</returns>
    private async Task<int> UseAsync(Func<NpgsqlConnection, Task> act)
    {
        await using var db = await Tenants().OpenAsync([_organization], Stop);
        Assert.Equal(1, await CountAsync(db));
        await act(db);
        return db.ProcessID;
    }

    private async Task AssertNextSeesNothingAsync(int first)
    {
        await using var next = await _oneConnection.OpenConnectionAsync(Stop);

        Assert.Equal(first, next.ProcessID);
        Assert.Equal(0, await CountAsync(next));
    }

    private static async Task AssertRefusedAsync(NpgsqlDataSource database, string reason)
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(
            () => new TenantConnections(database).OpenAsync([Guid.NewGuid()], Stop));

        Assert.StartsWith(reason, error.Message, StringComparison.Ordinal);
    }

    private static ValidateOptionsResult Validate(string connectionString) =>
        new DatabaseOptionsValidator().Validate(null, new DatabaseOptions { ConnectionString = connectionString });

    private async Task<Guid> AddOrganizationWithRunAsync()
    {
        var organization = await _database.AddOrganizationAsync(Stop);
        await using var db = await _database.Database.OpenConnectionAsync(Stop);
        await db.RequestRunAsync(
            new RunRequest(
                new Scope(organization, null), RunPurpose.Training, RunTrigger.Manual, "tester", RunParameters.Default, null),
            TimeProvider.System.GetUtcNow(), Stop);
        return organization;
    }

    private async Task<long> CountAsync(Guid[] organizations)
    {
        await using var db = await Tenants().OpenAsync(organizations, Stop);
        return await CountAsync(db);
    }

    private static async Task<long> CountAsync(NpgsqlConnection db)
    {
        await using var command = new NpgsqlCommand("select count(*) from ml.training_runs", db);
        return (long)(await command.ExecuteScalarAsync(Stop))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection db, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, db);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
