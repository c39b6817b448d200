using FeedbackLoop.Local;
using Npgsql;
using Xunit;

namespace FeedbackLoop.Testing;

/// <summary>
/// One throw-away PostgreSQL cluster per test run, with a migrated template that every test database is a copy of. Put
/// <c>[assembly: AssemblyFixture(typeof(PostgresFixture))]</c> into the test project.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private const string Template = "template_migrated";

    // PostgreSQL refuses to copy a template twice at once.
    private readonly SemaphoreSlim _copying = new(1);
    private LocalPostgres? _cluster;
    private int _databases;

    private LocalPostgres Cluster =>
        _cluster ?? throw new InvalidOperationException("xunit initializes the fixture before its first use");

    public async ValueTask InitializeAsync()
    {
        _cluster = await LocalPostgres.StartAsync(new LocalPostgresOptions(), CancellationToken.None);
        await _cluster.CreateDatabaseAsync(Template, template: null, CancellationToken.None);
        var template = _cluster.ConnectionString(Template) + ";Pooling=false";
        KnowledgeSchema.MigrateAll(template, _ => { });
        await using var database = NpgsqlDataSource.Create(template);
        await DatabaseClock.InstallAsync(database, CancellationToken.None);
    }

    /// <summary>A database of its own, empty but for its tables. Disposing it drops it.</summary>
    public async Task<TestDatabase> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await _copying.WaitAsync(cancellationToken);
        try
        {
            await Cluster.CreateDatabaseAsync(name, Template, cancellationToken);
        }
        finally
        {
            _copying.Release();
        }

        var database = new TestDatabase(Cluster, name);
        await DatabaseClock.UseAsync(database, cancellationToken);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        _copying.Dispose();
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }
    }
}
