using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Statistics;

/// <summary>A project's counts of one type; the first values are those of the whole project.</summary>
/// <param name="Type">Null when the project has no objects.</param>
internal sealed record ProjectCounts(
    string? Rules, long PendingChanges, DateTimeOffset? CountedAt, DateTimeOffset? LastChangeAt,
    DateTimeOffset? LastTrainedOn, long WithContent, long EmptyTexts, long ExcludedUndecided, long RecentWithContent,
    long RecentEmptyTexts, long NewWithContent, long NewEmptyTexts, string? Type, long HumanReviewed, long AutoAccepted,
    long Rejected, long Undecided);

/// <summary>One project among its organization's, without its objects.</summary>
internal sealed record ProjectTotals(
    Guid ProjectId, string Name, string? Rules, long PendingChanges, DateTimeOffset? LastChangeAt,
    DateTimeOffset? LastTrainedOn, long WithContent, long EmptyTexts, long ExcludedUndecided, long RecentWithContent,
    long RecentEmptyTexts, long NewWithContent, long NewEmptyTexts);

/// <summary>A project's objects of one type.</summary>
internal sealed record TypeTotals(
    Guid ProjectId, string Type, long HumanReviewed, long AutoAccepted, long Rejected, long Undecided);

/// <summary>
/// Every statement that touches <c>ml.knowledge_changes</c>, <c>ml.counted_*</c>, <c>ml.object_counts</c> and
/// <c>ml.extraction_counts</c>.
/// </summary>
public static partial class StatisticsQueries
{
    private const string ByDecision =
        """
        coalesce(sum(c.count) filter (where v.level = 101), 0)::bigint as HumanReviewed,
        coalesce(sum(c.count) filter (where v.level between @level and 100), 0)::bigint as AutoAccepted,
        coalesce(sum(c.count) filter (where c.is_rejected), 0)::bigint as Rejected,
        coalesce(sum(c.count) filter (where v.level < @level and not c.is_rejected), 0)::bigint as Undecided
        """;

    // The day of the training itself is looked at by the extractions that changed on it. Today is the database's: it is the
    // clock that the days of the changes come from.
    private const string Examples =
        """
        coalesce(sum(u.usable) filter (where x.level >= @level), 0)::bigint as WithContent,
        coalesce(sum(x.empty), 0)::bigint as EmptyTexts,
        coalesce(sum(u.decided) filter (where x.level < @level), 0)::bigint as ExcludedUndecided,
        coalesce(sum(u.usable) filter (
            where x.level >= @level
            and   x.changed_on > (now() at time zone 'UTC')::date - @paceDays), 0)::bigint as RecentWithContent,
        coalesce(sum(x.empty) filter (
            where x.changed_on > (now() at time zone 'UTC')::date - @paceDays), 0)::bigint as RecentEmptyTexts,
        coalesce(sum(u.usable) filter (
            where x.level >= @level
            and   x.changed_on > (t.snapshot_at at time zone 'UTC')::date), 0)::bigint as of_later_days,
        coalesce(sum(x.empty) filter (
            where x.changed_on > (t.snapshot_at at time zone 'UTC')::date), 0)::bigint as empty_of_later_days
        """;

    // Of a row of ml.extraction_counts, with the acceptances of our own models or without.
    private const string AtLevel =
        """
        cross  join lateral (
                       select case when @countsOwn then x.own_usable else x.usable end as usable,
                              case when @countsOwn then x.own_decided else x.decided end as decided) u
        """;

    private const string OfSameDay =
        """
        select count(*) filter (
                           where case when @countsOwn then x.own_usable_to else x.usable_to end >= @level) as with_content,
                       count(*) filter (where x.is_empty) as empty
                from   ml.counted_extractions x
                where  x.project_id = p.id
                and    x.changed_at > t.snapshot_at
                and    x.changed_at < ((t.snapshot_at at time zone 'UTC')::date + 1)::timestamp at time zone 'UTC'
        """;

    private const string ObjectsAtLevel =
        "cross  join lateral (select case when @countsOwn then c.own_verified_to else c.verified_to end as level) v";

    /// <summary>All counts of a live project, one row for each type, in one snapshot.</summary>
    /// <returns>None when the organization has no such project.</returns>
    internal static async Task<IReadOnlyList<ProjectCounts>> ReadProjectCountsAsync(
        this NpgsqlConnection db, Guid organizationId, Guid projectId, VerificationLevel level, int pendingLimit,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            with project as materialized (
                select p.id, n.rules, n.counted_at, n.last_change_at, t.snapshot_at
                from   kb.projects p
                left   join ml.counted_projects n on n.project_id = p.id
                left   join lateral (
                           select d.snapshot_at
                           from   ml.training_runs r
                           join   ml.datasets d on d.id = r.dataset_id
                           where  r.organization_id = p.organization_id
                           and    r.project_id = p.id
                           and    r.purpose = 'training'
                           and    r.state = 'succeeded'
                           order  by r.created_at desc
                           limit  1) t on true
                where  p.id = @projectId
                and    p.organization_id = @organizationId
                and    p.deleted_at is null
            ),
            types as (
                select c.entity_type,
                       {ByDecision}
                from   ml.object_counts c
                {ObjectsAtLevel}
                where  c.project_id = @projectId
                group  by c.entity_type
            ),
            examples as (
                select {Examples}
                from   ml.extraction_counts x
                {AtLevel}
                cross  join project t
                where  x.project_id = @projectId
            ),
            of_same_day as materialized (
                select s.*
                from   project t
                cross  join lateral (select t.id) p
                cross  join lateral (
                {OfSameDay}) s
            ),
            pending as materialized (
                select count(*) as count
                from   (select 1
                        from   ml.knowledge_changes k
                        where  k.project_id = @projectId
                        order  by k.id
                        limit  @pendingLimit) k
            )
            select p.rules as Rules, k.count as PendingChanges,
                   p.counted_at as CountedAt, p.last_change_at as LastChangeAt, p.snapshot_at as LastTrainedOn,
                   e.WithContent, e.EmptyTexts, e.ExcludedUndecided, e.RecentWithContent, e.RecentEmptyTexts,
                   e.of_later_days + n.with_content as NewWithContent,
                   e.empty_of_later_days + n.empty as NewEmptyTexts,
                   t.entity_type as Type, coalesce(t.HumanReviewed, 0) as HumanReviewed,
                   coalesce(t.AutoAccepted, 0) as AutoAccepted, coalesce(t.Rejected, 0) as Rejected,
                   coalesce(t.Undecided, 0) as Undecided
            from   project p
            cross  join examples e
            cross  join of_same_day n
            cross  join pending k
            left   join types t on true
            """;

        var args = new
        {
            organizationId,
            projectId,
            level = level.Value,
            countsOwn = level.CountsOwnAcceptances,
            paceDays = ExamplePace.Days,
            pendingLimit,
        };
        return [.. await db.QueryAsync<ProjectCounts>(Sql.Command(sql, args, cancellationToken))];
    }

    /// <summary>Each live project of an organization. To be called in one snapshot with the next.</summary>
    internal static async Task<IReadOnlyList<ProjectTotals>> ReadProjectTotalsAsync(
        this NpgsqlConnection db, Guid organizationId, VerificationLevel level, int pendingLimit,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            with trained as materialized (
                select max(t.snapshot_at) as snapshot_at
                from   (select d.snapshot_at
                        from   ml.training_runs r
                        join   ml.datasets d on d.id = r.dataset_id
                        where  r.organization_id = @organizationId
                        and    r.project_id is null
                        and    r.purpose = 'training'
                        and    r.state = 'succeeded'
                        order  by r.created_at desc
                        limit  1) t
            ),
            examples as (
                select x.project_id,
                       {Examples}
                from   ml.extraction_counts x
                {AtLevel}
                cross  join trained t
                where  x.organization_id = @organizationId
                group  by x.project_id
            )
            select p.id as ProjectId, p.name as Name, n.rules as Rules,
                   (select count(*)
                    from   (select 1
                            from   ml.knowledge_changes k
                            where  k.project_id = p.id
                            order  by k.id
                            limit  @pendingLimit) k) as PendingChanges,
                   n.last_change_at as LastChangeAt, t.snapshot_at as LastTrainedOn,
                   coalesce(e.WithContent, 0) as WithContent,
                   coalesce(e.EmptyTexts, 0) as EmptyTexts,
                   coalesce(e.ExcludedUndecided, 0) as ExcludedUndecided,
                   coalesce(e.RecentWithContent, 0) as RecentWithContent,
                   coalesce(e.RecentEmptyTexts, 0) as RecentEmptyTexts,
                   coalesce(e.of_later_days, 0) + s.with_content as NewWithContent,
                   coalesce(e.empty_of_later_days, 0) + s.empty as NewEmptyTexts
            from   kb.projects p
            cross  join trained t
            cross  join lateral (
                {OfSameDay}) s
            left   join ml.counted_projects n on n.project_id = p.id
            left   join examples e on e.project_id = p.id
            where  p.organization_id = @organizationId
            and    p.deleted_at is null
            """;

        var args = new
        {
            organizationId,
            level = level.Value,
            countsOwn = level.CountsOwnAcceptances,
            paceDays = ExamplePace.Days,
            pendingLimit,
        };
        return [.. await db.QueryAsync<ProjectTotals>(Sql.Command(sql, args, cancellationToken))];
    }

    /// <summary>The objects of an organization by project and type, those of deleted projects among them.</summary>
    internal static async Task<IReadOnlyList<TypeTotals>> ReadTypeTotalsAsync(
        this NpgsqlConnection db, Guid organizationId, VerificationLevel level, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select c.project_id as ProjectId, c.entity_type as Type,
                   {ByDecision}
            from   ml.object_counts c
            {ObjectsAtLevel}
            where  c.organization_id = @organizationId
            group  by c.project_id, c.entity_type
            """;

        var args = new { organizationId, level = level.Value, countsOwn = level.CountsOwnAcceptances };
        return [.. await db.QueryAsync<TypeTotals>(Sql.Command(sql, args, cancellationToken))];
    }

    /// <summary>Live projects with changes that are not counted, or that were never counted or by other rules.</summary>
    public static async Task<IReadOnlyList<Guid>> ListProjectsToFoldAsync(
        this NpgsqlConnection db, CountingRules rules, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select p.id
            from   kb.projects p
            left   join ml.counted_projects n on n.project_id = p.id
            where  p.deleted_at is null
            and    (n.rules is distinct from @rules
                    or exists (select 1 from ml.knowledge_changes k where k.project_id = p.id))
            order  by n.counted_at nulls first, p.id
            limit  @limit
            """;

        var args = new { rules = rules.Name, limit };
        return [.. await db.QueryAsync<Guid>(Sql.Command(sql, args, cancellationToken))];
    }

    /// <summary>
    /// Removes the counts and the changes of projects that have no row any more, or one in another organization, where they are
    /// counted anew. A project that is only marked deleted keeps them: it may come back.
    /// </summary>
    public static Task<int> ForgetGoneProjectsAsync(this NpgsqlConnection db, CancellationToken cancellationToken)
    {
        // A fold that is at work holds its row; the next sweep finds it free.
        const string sql =
            """
            delete from ml.knowledge_changes k
            where  not exists (
                select 1 from kb.projects p where p.id = k.project_id and p.organization_id = k.organization_id);

            delete from ml.counted_projects
            where  project_id in (
                select n.project_id
                from   ml.counted_projects n
                where  not exists (
                    select 1 from kb.projects p where p.id = n.project_id and p.organization_id = n.organization_id)
                for    update skip locked)
            """;

        return db.ExecuteAsync(WithoutTimeout(sql, new { }, cancellationToken));
    }
}
