using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Statistics;

/// <summary>Examples whose last change lies in the hour that ends at <see cref="To"/>.</summary>
/// <param name="New">Those that changed after a moment that was asked for.</param>
/// <param name="Empty">Texts with nothing to find, of which a share becomes examples; not among <paramref name="All"/>.</param>
/// <param name="NewEmpty">The same of the texts with nothing to find.</param>
public sealed record HourOfExamples(DateTimeOffset To, long All, long New, long Empty = 0, long NewEmpty = 0);

/// <summary>Examples by the hour of their last change, as they were last folded.</summary>
public static partial class StatisticsQueries
{
    /// <param name="newSince">Null: all are new.</param>
    /// <returns>
    /// Oldest first; the first, at <paramref name="from"/>, holds all that changed until then. Hours are counted from there;
    /// those without a change are left out.
    /// </returns>
    public static async Task<IReadOnlyList<HourOfExamples>> ListExamplesByHourAsync(
        this NpgsqlConnection db, CountingRules rules, Scope scope, VerificationLevel level, DateTimeOffset? newSince,
        DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select h.at as "to", count(*) filter (where not x.is_empty) as "all",
                   count(*) filter (where not x.is_empty and h.is_new) as "new",
                   count(*) filter (where x.is_empty) as empty,
                   count(*) filter (where x.is_empty and h.is_new) as new_empty
            from   ml.counted_projects n
            join   kb.projects p on p.id = n.project_id and p.deleted_at is null
            join   ml.counted_extractions x on x.project_id = n.project_id
            cross  join lateral (
                       select case when x.changed_at <= @from then @from
                                   else date_bin('1 hour', x.changed_at - interval '1 microsecond', @from) + interval '1 hour'
                              end as at,
                              @newSince::timestamptz is null or x.changed_at > @newSince as is_new) h
            where  n.organization_id = @OrganizationId
            and    (@ProjectId::uuid is null or n.project_id = @ProjectId)
            and    n.rules = @rules
            and    (x.is_empty or case when @countsOwn then x.own_usable_to else x.usable_to end >= @level)
            and    x.changed_at <= @to
            group  by h.at
            order  by h.at
            """;

        var args = new
        {
            scope.OrganizationId,
            scope.ProjectId,
            level = level.Value,
            countsOwn = level.CountsOwnAcceptances,
            newSince,
            from,
            to,
            rules = rules.Name,
        };
        return (await db.QueryAsync<HourOfExamples>(Sql.Command(sql, args, cancellationToken))).AsList();
    }
}
