using FeedbackLoop.Testing;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace FeedbackLoop.Database.Tests;

/// <summary>One database for the tests of a class that roll back what they do.</summary>
public sealed class SharedDatabase(PostgresFixture postgres) : IAsyncLifetime
{
    public TestDatabase Rows { get; private set; } = null!;  // xunit initializes it before the class's first test

    public async ValueTask InitializeAsync() => Rows = await postgres.CreateDatabaseAsync(CancellationToken.None);

    public ValueTask DisposeAsync() => Rows.DisposeAsync();
}
