using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Statistics;

/// <summary>A question for the examples of a scope that are new.</summary>
/// <param name="Since">When the last successful training read its data; null: all are new.</param>
public sealed record NewExamplesQuestion(Scope Scope, VerificationLevel Level, DateTimeOffset? Since);

/// <summary>Counts for many scopes at once, as they were last folded: the sweep folds every five minutes.</summary>
public static partial class StatisticsQueries
{
    /// <returns>One answer for each question, in order; null where no project of the scope is counted yet.</returns>
    public static async Task<IReadOnlyList<long?>> CountNewExamplesAsync(
        this NpgsqlConnection db, CountingRules rules, IReadOnlyList<NewExamplesQuestion> questions,
        CancellationToken cancellationToken)
    {
        // The day of the training itself is looked at by the extractions that changed on it.
        const string sql =
            """
            with asked as materialized (
                select a.number::int as number, a.organization_id, a.project_id, a.level, a.counts_own, a.since,
                       (a.since at time zone 'UTC')::date as day
                from   unnest(@organizations, @projects, @levels, @countsOwn, @since)
                       with ordinality as a (organization_id, project_id, level, counts_own, since, number)
            ),
            counted as (
                select a.number, a.level, a.counts_own, a.since, a.day, n.project_id
                from   asked a
                join   ml.counted_projects n on n.project_id = a.project_id and n.organization_id = a.organization_id
                where  n.rules = @rules
                union  all
                select a.number, a.level, a.counts_own, a.since, a.day, n.project_id
                from   asked a
                join   ml.counted_projects n on n.organization_id = a.organization_id
                join   kb.projects p on p.id = n.project_id and p.deleted_at is null
                where  a.project_id is null
                and    n.rules = @rules
            )
            select c.number, sum(whole_days.with_content + rest.with_content)::bigint,
                   sum(whole_days.empty + rest.empty)::bigint
            from   counted c
            cross  join lateral (
                       select coalesce(sum(case when c.counts_own then x.own_usable else x.usable end)
                                           filter (where x.level >= c.level), 0) as with_content,
                              coalesce(sum(x.empty), 0) as empty
                       from   ml.extraction_counts x
                       where  x.project_id = c.project_id
                       and    (c.day is null or x.changed_on > c.day)) whole_days
            cross  join lateral (
                       select count(*) filter (
                                  where case when c.counts_own then x.own_usable_to else x.usable_to end >= c.level)
                                  as with_content,
                              count(*) filter (where x.is_empty) as empty
                       from   ml.counted_extractions x
                       where  x.project_id = c.project_id
                       and    x.changed_at > c.since
                       and    x.changed_at < (c.day + 1)::timestamp at time zone 'UTC') rest
            group  by c.number
            """;

        var args = new
        {
            organizations = questions.Select(question => question.Scope.OrganizationId).ToArray(),
            projects = questions.Select(question => question.Scope.ProjectId).ToArray(),
            levels = questions.Select(question => question.Level.Value).ToArray(),
            countsOwn = questions.Select(question => question.Level.CountsOwnAcceptances).ToArray(),
            since = questions.Select(question => question.Since).ToArray(),
            rules = rules.Name,
        };
        var counts = (await db.QueryAsync<(int Number, long WithContent, long Empty)>(
                Sql.Command(sql, args, cancellationToken)))
            .ToDictionary(row => row.Number, row => rules.Examples(row.WithContent, row.Empty));
        return [.. Enumerable.Range(1, questions.Count).Select(number =>
            counts.TryGetValue(number, out var count) ? count : (long?)null)];
    }
}
