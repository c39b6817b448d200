using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Spending;

/// <summary>
/// Every statement that touches <c>ml.spending_stops</c> and <c>ml.monthly_tokens</c>, and the sums that limits are compared with.
/// </summary>
public static class SpendingQueries
{
    // A refused or proven absent attempt costs nothing; of one that an operator closed nobody knows.
    private const string Committed = "a.state not in ('rejected', 'absent')";

    // The price of a million tokens is the catalogue's; a model without one has no row here, and its tokens no price.
    private const string Prices =
        "unnest(@models, @areTuned, @inputPrices, @outputPrices) as p (base_model, is_tuned, input_price, output_price)";

    private const string Price = "(k.input_tokens * p.input_price + k.output_tokens * p.output_price) / 1000000";
    private const string IsUnpriced = "p.base_model is null and k.input_tokens + k.output_tokens > 0";

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
        this NpgsqlConnection db, Guid organizationId, SpendingTerms terms, DateTimeOffset now,
        CancellationToken cancellationToken) =>
        (await db.ReadSpendingAsync([organizationId], terms, now, cancellationToken)).Single();

    /// <summary>In the order of <paramref name="organizations"/>, one for each.</summary>
    public static async Task<IReadOnlyList<MonthlySpending>> ReadSpendingAsync(
        this NpgsqlConnection db, Guid[] organizations, SpendingTerms terms, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select o.id, m.month, s.monthly_limit_usd as own_limit, coalesce(s.no_monthly_limit, false) as has_none,
                   coalesce(t.usd, 0) as tuning, coalesce(c.evaluation, 0) as evaluation,
                   coalesce(c.extraction, 0) as extraction,
                   coalesce(t.unpriced, array[]::text[]) as unpriced_tuning,
                   coalesce(c.unpriced_evaluation, array[]::text[]) as unpriced_evaluation,
                   coalesce(c.unpriced_extraction, array[]::text[]) as unpriced_extraction
            from   unnest(@organizations) with ordinality as o (id, place)
            cross  join (select date_trunc('month', @now::timestamptz at time zone 'UTC') as month) m
            left   join ml.training_schedules s on s.organization_id = o.id and s.project_id is null
            cross  join lateral (
                       select sum(coalesce(a.actual_cost_usd, a.estimated_cost_usd)) as usd,
                              array_agg(distinct a.base_model)
                                  filter (where coalesce(a.actual_cost_usd, a.estimated_cost_usd) is null) as unpriced
                       from   ml.tuning_attempts a
                       where  a.organization_id = o.id
                       and    a.sent_at >= m.month at time zone 'UTC'
                       and    a.sent_at < (m.month + interval '1 month') at time zone 'UTC'
                       and    {Committed}) t
            cross  join lateral (
                       select sum({Price}) filter (where k.kind = 'evaluation') as evaluation,
                              sum({Price}) filter (where k.kind = 'extraction') as extraction,
                              array_agg(distinct k.base_model)
                                  filter (where k.kind = 'evaluation' and {IsUnpriced}) as unpriced_evaluation,
                              array_agg(distinct k.base_model)
                                  filter (where k.kind = 'extraction' and {IsUnpriced}) as unpriced_extraction
                       from   ml.monthly_tokens k
                       left   join {Prices} on p.base_model = k.base_model and p.is_tuned = k.is_tuned
                       where  k.organization_id = o.id
                       and    k.month = m.month::date) c
            order  by o.place
            """;

        var args = PricesOf(terms);
        args.AddDynamicParams(new { organizations, now });
        var rows = await db.QueryAsync<SpendingRow>(Sql.Command(sql, args, cancellationToken));
        return [.. rows.Select(row => row.ToSpending(terms.Options.DefaultMonthlyLimitUsd))];
    }

    /// <summary>
    /// Organizations that somebody has set a limit for, or that have something to pay for in the month, with the names that people
    /// know. One that the product has deleted is there while the month has something to pay for, by its id when it has no row
    /// any more.
    /// </summary>
    public static async Task<IReadOnlyList<(string Name, MonthlySpending Spending)>> ListSpendingAsync(
        this NpgsqlConnection db, int limit, SpendingTerms terms, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select l.organization_id, coalesce(o.name, l.organization_id::text) as name
            from   (select s.organization_id
                    from   ml.training_schedules s
                    join   kb.orgs o on o.id = s.organization_id and o.deleted_at is null
                    where  s.project_id is null
                    and    (s.monthly_limit_usd is not null or s.no_monthly_limit)
                    union
                    select a.organization_id
                    from   ml.tuning_attempts a
                    where  a.sent_at >= date_trunc('month', @now::timestamptz at time zone 'UTC') at time zone 'UTC'
                    and    {Committed}
                    union
                    select k.organization_id
                    from   ml.monthly_tokens k
                    where  k.month = date_trunc('month', @now::timestamptz at time zone 'UTC')::date) l
            left   join kb.orgs o on o.id = l.organization_id
            order  by name, l.organization_id
            limit  @limit
            """;

        var organizations = (await db.QueryAsync<(Guid Id, string Name)>(
            Sql.Command(sql, new { now, limit }, cancellationToken))).AsList();
        var sums = await db.ReadSpendingAsync(
            [.. organizations.Select(each => each.Id)], terms, now, cancellationToken);
        return [.. organizations.Zip(sums, (organization, spending) => (organization.Name, spending))];
    }

    /// <summary>
    /// Organizations whose extractions have cost more in the month than <see cref="SpendingOptions.ExtractionAlarmUsd"/>, the
    /// dearest first.
    /// </summary>
    public static async Task<IReadOnlyList<(Guid OrganizationId, decimal Usd)>> ListDearExtractionsAsync(
        this NpgsqlConnection db, int limit, SpendingTerms terms, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select k.organization_id, sum({Price}) as usd
            from   ml.monthly_tokens k
            join   {Prices} on p.base_model = k.base_model and p.is_tuned = k.is_tuned
            where  k.month = date_trunc('month', @now::timestamptz at time zone 'UTC')::date
            and    k.kind = 'extraction'
            group  by k.organization_id
            having sum({Price}) > @alarm
            order  by usd desc, k.organization_id
            limit  @limit
            """;

        var args = PricesOf(terms);
        args.AddDynamicParams(new { limit, now, alarm = terms.Options.ExtractionAlarmUsd });
        return (await db.QueryAsync<(Guid, decimal)>(Sql.Command(sql, args, cancellationToken))).AsList();
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

    private static DynamicParameters PricesOf(SpendingTerms terms) => new(new
    {
        models = terms.Prices.Select(each => each.BaseModel).ToArray(),
        areTuned = terms.Prices.Select(each => each.IsTuned).ToArray(),
        inputPrices = terms.Prices.Select(each => each.Price.Input).ToArray(),
        outputPrices = terms.Prices.Select(each => each.Price.Output).ToArray(),
    });

    private sealed record SpendingRow(
        Guid Id, DateTime Month, decimal? OwnLimit, bool HasNone, decimal Tuning, decimal Evaluation, decimal Extraction,
        string[] UnpricedTuning, string[] UnpricedEvaluation, string[] UnpricedExtraction)
    {
        public MonthlySpending ToSpending(decimal defaultLimitUsd) => new(
            Id, DateOnly.FromDateTime(Month), HasNone ? null : OwnLimit ?? defaultLimitUsd,
            IsDefaultLimit: !HasNone && OwnLimit is null, Tuning, decimal.Round(Evaluation, 6), decimal.Round(Extraction, 6),
            [
                .. UnpricedTuning.Select(model => new UnpricedUse(SpendingKind.Tuning, model)),
                .. UnpricedEvaluation.Select(model => new UnpricedUse(SpendingKind.Evaluation, model)),
                .. UnpricedExtraction.Select(model => new UnpricedUse(SpendingKind.Extraction, model)),
            ]);
    }
}
