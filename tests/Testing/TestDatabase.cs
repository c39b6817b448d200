using FeedbackLoop.Local;
using Npgsql;

namespace FeedbackLoop.Testing;

/// <summary>One test's, or one test class's, database.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly LocalPostgres _cluster;

    internal TestDatabase(LocalPostgres cluster, string name)
    {
        (_cluster, Name) = (cluster, name);
        ConnectionString = Patiently(cluster.ConnectionString(name, "app"));
        Database = NpgsqlDataSource.Create(ConnectionString);
        ApiConnectionString = Patiently(cluster.ConnectionString(name, "app_api"));
        Api = NpgsqlDataSource.Create(ApiConnectionString);
        Admin = NpgsqlDataSource.Create(Patiently(cluster.ConnectionString(name)));
        Clock = new DatabaseClock(Admin);
    }

    public string Name { get; }

    /// <summary>For the login <c>app</c> of the event functions, the sweep and the CLI: a member of <c>ml_worker</c>.</summary>
    public string ConnectionString { get; }

    /// <summary>What the event functions, the sweep and the CLI get.</summary>
    public NpgsqlDataSource Database { get; }

    /// <summary>
    /// For the login <c>app_api</c> of the admin API, a member of <c>ml_api</c>: without <c>app.organizations</c> it sees no
    /// row of <c>ml</c>.
    /// </summary>
    public string ApiConnectionString { get; }

    /// <summary>What the admin API gets; its tenants' connections come from <c>TenantConnections</c> over it.</summary>
    public NpgsqlDataSource Api { get; }

    /// <summary>The superuser, for arranging what the product itself never writes.</summary>
    public NpgsqlDataSource Admin { get; }

    public DatabaseClock Clock { get; }

    public async Task<Guid> AddOrganizationAsync(CancellationToken cancellationToken) =>
        await ScalarAsync<Guid>("insert into kb.orgs (name) values ('organization') returning id", cancellationToken);

    public async Task<Guid> AddProjectAsync(Guid organizationId, CancellationToken cancellationToken) =>
        await ScalarAsync<Guid>(
            $"insert into kb.projects (organization_id, name) values ('{organizationId}', 'project') returning id",
            cancellationToken);

    /// <summary>The first column of the first row, read by the superuser.</summary>
    public async Task<T> ScalarAsync<T>(string sql, CancellationToken cancellationToken)
    {
        await using var command = Admin.CreateCommand(sql);
        return await command.ExecuteScalarAsync(cancellationToken) is T value
            ? value
            : throw new InvalidOperationException($"no {typeof(T).Name} came of: {sql}");
    }

    /// <summary>Runs a statement as the superuser.</summary>
    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = Admin.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // Npgsql's own fifteen and thirty seconds are too few on a machine that has a lot to do.
    private static string Patiently(string connection)
    {
        var seconds = (int)Patience.Limit.TotalSeconds;
        return new NpgsqlConnectionStringBuilder(connection) { Timeout = seconds, CommandTimeout = seconds }.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await Api.DisposeAsync();
        await Admin.DisposeAsync();
        await _cluster.DropDatabaseAsync(Name, CancellationToken.None);
    }
}
