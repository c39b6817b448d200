using FeedbackLoop.Local.Identity;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Access.Tests;

/// <summary>A database nobody has connected to, a clock, and what both kinds of host are asked.</summary>
public abstract class Scenario(PostgresFixture postgres) : IAsyncLifetime
{
    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected TestDatabase Database { get; private set; } = null!; // set before each test

    private protected FakeTimeProvider Clock { get; } = new(new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero));

    private protected KeptLog Log { get; } = new();

    private protected HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    private protected long Now => Clock.GetUtcNow().ToUnixTimeSeconds();

    public async ValueTask InitializeAsync()
    {
        Database = await postgres.CreateDatabaseAsync(Cancellation);
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await StopAsync();
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract Task StartAsync();

    private protected abstract Task StopAsync();

    /// <summary>
    /// Connections of the host. It keeps one after its first statement, so none means that there has been no statement.
    /// </summary>
    private protected Task<long> CountConnectionsAsync() => Database.ScalarAsync<long>(
        "select count(*) from pg_stat_activity where datname = current_database() and usename = 'app'", Cancellation);

    /// <summary>No line of the log holds a token, or so much of one that it could be put together again.</summary>
    private protected void AssertNotLogged(string? token)
    {
        foreach (var part in (token ?? "").Split('.').Where(part => part.Length > 20))
        {
            Assert.DoesNotContain(Log.Lines, line => line.Contains(part, StringComparison.Ordinal));
        }
    }

    private protected static Task<IdentityServer> StartIssuerAsync(IdentityOptions options) =>
        IdentityServer.StartAsync(options, Cancellation);
}
