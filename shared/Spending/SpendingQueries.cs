using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Spending;

/// <summary>Every statement that touches <c>ml.spending_stops</c>, and the sums that limits are compared with.</summary>
public static class SpendingQueries
{
    // A refused or proven absent attempt costs nothing; of one that an operator closed nobody knows.
    private const string Committed = "a.state not in ('rejected', 'absent')";

    /// <summary>
    /// Makes those who are about to pay for jobs of one organization queue until the caller's transaction ends, so that two
    /// cannot both take what is left.
    /// </summary>
    public static Task LockSpendingAsync(
        this NpgsqlConnection db, Guid organizationId, CancellationToken cancellationToken) =>
        db.ExecuteAsync(Sql.Command(
            "select pg_advisory_xact_lock(hashtextextended('ml.spending/' || @organizationId::uuid, 0))",
            new { organizationId }, cancellationToken));

    /// <returns>Null: trainings may begin.</returns>
    public static Task<SpendingStop?> FindSpendingStopAsync(
        this NpgsqlConnection db, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select stopped_at, stopped_by, reason
            from   ml.spending_stops
            where  resumed_at is null
            """;

        return db.QuerySingleOrDefaultAsync<SpendingStop>(Sql.Command(sql, null, cancellationToken));
    }

    /// <summary>When a stop last ended.</summary>
    public static Task<DateTimeOffset?> FindLastResumeAsync(
        this NpgsqlConnection db, CancellationToken cancellationToken) =>
        db.ExecuteScalarAsync<DateTimeOffset?>(Sql.Command(
            "select max(resumed_at) from ml.spending_stops", null, cancellationToken));

    /// <summary>What the tuning jobs of all organizations are estimated at that were asked for so short a time ago, in USD.</summary>
    public static Task<decimal> ReadSpentAsync(
        this NpgsqlConnection db, TimeSpan ago, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select coalesce(sum(a.estimated_cost_usd), 0)
            from   ml.tuning_attempts a
            where  a.sent_at > clock_timestamp() - @ago
            and    {Committed}
            """;

        return db.ExecuteScalarAsync<decimal>(Sql.Command(sql, new { ago }, cancellationToken));
    }

    /// <param name="now">Somewhere in the month that is asked for.</param>
    public static async Task<MonthlySpending> ReadSpendingAsync(
        this NpgsqlConnection db, Guid organizationId, DateTimeOffset now, CancellationToken cancellationToken) =>
        (await db.ReadSpendingAsync([organizationId], onlyLimited: false, now, cancellationToken)).Single();

    /// <param name="onlyLimited">Leaves out organizations without a limit.</param>
    public static async Task<IReadOnlyList<MonthlySpending>> ReadSpendingAsync(
        this NpgsqlConnection db, Guid[] organizations, bool onlyLimited, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select o.id as organization_id, m.month, s.monthly_limit_usd as limit_usd,
                   coalesce((
                       select sum(a.estimated_cost_usd)
                       from   ml.tuning_attempts a
                       where  a.organization_id = o.id
                       and    a.sent_at >= m.month at time zone 'UTC'
                       and    a.sent_at < (m.month + interval '1 month') at time zone 'UTC'
                       and    {Committed}), 0) as committed_usd
            from   unnest(@organizations) as o (id)
            cross  join (select date_trunc('month', @now::timestamptz at time zone 'UTC') as month) m
            left   join ml.training_schedules s on s.organization_id = o.id and s.project_id is null
            where  not @onlyLimited
            or     s.monthly_limit_usd is not null
            """;

        var rows = await db.QueryAsync<(Guid Id, DateTime Month, decimal? Limit, decimal Committed)>(
            Sql.Command(sql, new { organizations, onlyLimited, now }, cancellationToken));
        return [.. rows.Select(row =>
            new MonthlySpending(row.Id, DateOnly.FromDateTime(row.Month), row.Limit, row.Committed))];
    }

    /// <summary>
    /// Organizations that have a limit, or something to pay for in the month, with the names that people know. One that the
    /// product has deleted is there while the month has something to pay for, by its id when it has no row any more.
    /// </summary>
    public static async Task<IReadOnlyList<(string Name, MonthlySpending Spending)>> ListSpendingAsync(
        this NpgsqlConnection db, int limit, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select l.organization_id, coalesce(o.name, l.organization_id::text) as name
            from   (select s.organization_id
                    from   ml.training_schedules s
                    join   kb.orgs o on o.id = s.organization_id and o.deleted_at is null
                    where  s.project_id is null
                    and    s.monthly_limit_usd is not null
                    union
                    select a.organization_id
                    from   ml.tuning_attempts a
                    where  a.sent_at >= date_trunc('month', @now::timestamptz at time zone 'UTC') at time zone 'UTC'
                    and    {Committed}) l
            left   join kb.orgs o on o.id = l.organization_id
            order  by name, l.organization_id
            limit  @limit
            """;

        var organizations = (await db.QueryAsync<(Guid Id, string Name)>(
            Sql.Command(sql, new { now, limit }, cancellationToken))).AsList();
        var sums = (await db.ReadSpendingAsync(
            [.. organizations.Select(each => each.Id)], onlyLimited: false, now, cancellationToken))
            .ToDictionary(each => each.OrganizationId);
        return [.. organizations.Select(each => (each.Name, sums[each.Id]))];
    }

    /// <returns>False when everything is stopped already.</returns>
    public static async Task<bool> StopSpendingAsync(
        this NpgsqlConnection db, string actor, string reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.spending_stops (stopped_at, stopped_by, reason)
            values (@now, @actor, @reason)
            on     conflict do nothing
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { actor, reason, now }, cancellationToken)) == 1;
    }

    /// <returns>False when nothing is stopped.</returns>
    public static async Task<bool> ResumeSpendingAsync(
        this NpgsqlConnection db, string actor, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.spending_stops
            set    resumed_at = greatest(stopped_at, @now),
                   resumed_by = @actor
            where  resumed_at is null
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { actor, now }, cancellationToken)) == 1;
    }
}
