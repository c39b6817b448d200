using Npgsql;

namespace FeedbackLoop.Testing;

/// <summary>
/// Moves the clock of one test database. Leases, due and quiet times are judged by <c>clock_timestamp()</c>, which the
/// database looks up along its search path: a function of that name in a schema ahead of <c>pg_catalog</c> takes its place.
/// </summary>
public sealed class DatabaseClock
{
    private readonly NpgsqlDataSource _admin;

    internal DatabaseClock(NpgsqlDataSource admin) => _admin = admin;

    /// <summary>From now on the database is this much later than it was.</summary>
    public async Task AdvanceAsync(TimeSpan by, CancellationToken cancellationToken)
    {
        await using var command = _admin.CreateCommand("update testclock.setting set ahead = ahead + $1");
        command.Parameters.AddWithValue(by);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The time by this clock.</summary>
    public async Task<DateTimeOffset> NowAsync(CancellationToken cancellationToken)
    {
        await using var command = _admin.CreateCommand("select clock_timestamp()");
        return new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(cancellationToken))!, TimeSpan.Zero);
    }

    internal static async Task InstallAsync(NpgsqlDataSource template, CancellationToken cancellationToken)
    {
        const string sql =
            """
            create schema testclock;
            create table testclock.setting (ahead interval not null);
            insert into testclock.setting values (interval '0');
            create function testclock.clock_timestamp() returns timestamptz language sql volatile as
                'select pg_catalog.clock_timestamp() + ahead from testclock.setting';
            grant usage on schema testclock to public;
            grant select on testclock.setting to public;
            """;

        await using var command = template.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // A setting of the database is not copied with its template.
    internal static Task UseAsync(TestDatabase database, CancellationToken cancellationToken) =>
        database.ExecuteAsync(
            $"alter database \"{database.Name}\" set search_path = testclock, pg_catalog, public", cancellationToken);
}
