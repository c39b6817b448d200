using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Scheduling;

/// <summary>What the database knows of a schedule's scope.</summary>
internal sealed record DueFactRow(
    Guid ScheduleId, bool IsDeleted, RunId? LiveRunId, string? LiveRunState, RunId? OpenRunId, string? OpenRunState,
    DateTimeOffset? OpenRunEndedAt, string? OpenRunReason, DateTimeOffset? LastRunCreatedAt, DateTimeOffset? RefusedSpendingAt,
    DateTimeOffset? LastSuccessAt,
    DateTimeOffset? LastSnapshotAt, int? LastExampleCount, RunId? GeneralModelId, DateTimeOffset? GeneralModelFirstPromotedAt,
    RunId? GeneralRunId, string? GeneralRunState,
    bool HasModel, DateTimeOffset? OrganizationRetrainsSince, int RunsOfDay, DateTimeOffset? OldestRunOfDayAt)
{
    public DueFacts ToFacts() => new()
    {
        IsDeleted = IsDeleted,
        LiveRun = LiveRunId is { } live ? new(live, LiveRunState ?? "", null, null) : null,
        OpenRun = OpenRunId is { } open ? new(open, OpenRunState ?? "", OpenRunEndedAt, OpenRunReason) : null,
        LastRunCreatedAt = LastRunCreatedAt,
        RefusedSpendingAt = RefusedSpendingAt,
        LastSuccessAt = LastSuccessAt,
        LastExampleCount = LastExampleCount,
        GeneralModel = GeneralModelId is { } model && GeneralModelFirstPromotedAt is { } promoted
            ? new(model, promoted)
            : null,
        GeneralRun = GeneralRunId is { } training ? new(training, GeneralRunState ?? "", null, null) : null,
        HasModel = HasModel,
        OrganizationRetrainsSince = OrganizationRetrainsSince,
    };
}

public static partial class ScheduleQueries
{
    // Once for each kind of scope: an index takes "=" and "is null", and neither stands for both.
    private static readonly string FactsSql =
        FactsOf("s.project_id is not null", "= s.project_id") + " union all " + FactsOf("s.project_id is null", "is null");

    /// <summary>
    /// Locks up to <paramref name="limit"/> schedules that are to be looked at and that no other tick holds, the longest
    /// waiting first. They stay locked until the caller's transaction ends.
    /// </summary>
    internal static async Task<IReadOnlyList<Schedule>> ClaimDueSchedulesAsync(
        this NpgsqlConnection db, DateTimeOffset now, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.training_schedules s
            where  s.next_check_at <= @now
            order  by s.next_check_at
            limit  @limit
            for    update skip locked
            """;

        return (await db.QueryAsync<Schedule>(Sql.Command(sql, new { now, limit }, cancellationToken))).AsList();
    }

    /// <summary>What there is to know of these schedules, but for the examples and the places of their organizations.</summary>
    internal static async Task<IReadOnlyList<DueFactRow>> ReadDueFactsAsync(
        this NpgsqlConnection db, Guid[] ids, DateTimeOffset now, CancellationToken cancellationToken) =>
        (await db.QueryAsync<DueFactRow>(Sql.Command(
            FactsSql, new { ids, since = now.ToUniversalTime() - RunsOfDay.Day }, cancellationToken))).AsList();

    /// <summary>
    /// Makes the ticks that start retrainings of these organizations queue until the caller's transaction ends, so that
    /// together they keep to the limit.
    /// </summary>
    internal static Task LockRetrainingsAsync(
        this NpgsqlConnection db, Guid[] organizations, CancellationToken cancellationToken)
    {
        // In one order everywhere, or two ticks would wait for each other.
        const string sql =
            """
            select pg_advisory_xact_lock(hashtextextended('ml.training_schedules/' || o.id, 0))
            from   (select id from unnest(@organizations) as u (id) order by id) o
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { organizations }, cancellationToken));
    }

    /// <summary>Keeps what was decided of schedules that the caller has locked.</summary>
    internal static Task SaveDecisionsAsync(
        this NpgsqlConnection db, IReadOnlyList<Schedule> schedules, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_schedules s
            set    next_scheduled_at    = d.next_scheduled_at,
                   next_check_at        = d.next_check_at,
                   open_run_id          = d.open_run_id,
                   retries              = d.retries,
                   tried_examples       = d.tried_examples,
                   tried_at             = d.tried_at,
                   answered_model_id    = d.answered_model_id,
                   last_training_at     = d.last_training_at,
                   last_example_count   = d.last_example_count,
                   last_decision        = d.last_decision,
                   last_decision_reason = d.last_decision_reason,
                   last_decision_at     = @now
            from   unnest(@ids, @nextScheduledAt, @nextCheckAt, @openRunIds, @retries, @triedExamples, @triedAt,
                          @answeredModelIds, @lastTrainingAt, @lastExampleCounts, @decisions, @reasons)
                   as d (id, next_scheduled_at, next_check_at, open_run_id, retries, tried_examples, tried_at,
                         answered_model_id, last_training_at, last_example_count, last_decision, last_decision_reason)
            where  s.id = d.id
            """;

        var args = new
        {
            ids = Each(s => s.Id),
            nextScheduledAt = Each(s => s.NextScheduledAt),
            nextCheckAt = Each(s => s.NextCheckAt),
            openRunIds = Each(s => s.OpenRunId?.Value),
            retries = Each(s => s.Retries),
            triedExamples = Each(s => s.TriedExamples),
            triedAt = Each(s => s.TriedAt),
            answeredModelIds = Each(s => s.AnsweredModelId?.Value),
            lastTrainingAt = Each(s => s.LastTrainingAt),
            lastExampleCounts = Each(s => s.LastExampleCount),
            decisions = Each(s => s.LastDecision),
            reasons = Each(s => s.LastDecisionReason),
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));

        T[] Each<T>(Func<Schedule, T> member) => [.. schedules.Select(member)];
    }

    /// <summary>Notes of an organization's schedule that admins are told of this general model.</summary>
    /// <returns>False when they have been told, or need not be.</returns>
    public static async Task<bool> MarkNotifiedAsync(
        this NpgsqlConnection db, Guid organizationId, RunId modelId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_schedules
            set    notified_model_id = @modelId
            where  organization_id = @organizationId
            and    project_id is null
            and    enabled
            and    notify_project_admins
            and    notified_model_id is distinct from @modelId
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { organizationId, modelId }, cancellationToken)) == 1;
    }

    /// <summary>
    /// A row for each live project that has a model of its own and no schedule, when the organization retrains its projects:
    /// the row says what is decided of the project.
    /// </summary>
    public static Task AddProjectSchedulesAsync(
        this NpgsqlConnection db, Guid organizationId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.training_schedules (id, organization_id, project_id, created_at, updated_at)
            select gen_random_uuid(), m.organization_id, m.project_id, @now, @now
            from   ml.fine_tuned_models m
            join   kb.projects p
                   on p.id = m.project_id and p.organization_id = m.organization_id and p.deleted_at is null
            where  m.organization_id = @organizationId
            and    m.status = 'ready'
            and    exists (
                select 1
                from   ml.training_schedules s
                where  s.organization_id = m.organization_id
                and    s.project_id is null
                and    s.enabled
                and    s.retrain_projects)
            order  by m.project_id
            on     conflict (organization_id, project_id) do nothing
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { organizationId, now }, cancellationToken));
    }

    /// <summary>Lets the next tick look at an organization's projects: all, or those that wait for a place.</summary>
    public static Task<int> WakeProjectsAsync(
        this NpgsqlConnection db, Guid organizationId, bool onlyWaiting, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_schedules s
            set    next_check_at = @now
            from   (select id
                    from   ml.training_schedules
                    where  organization_id = @organizationId
                    and    project_id is not null
                    and    (next_check_at is null or next_check_at > @now)
                    and    (not @onlyWaiting or last_decision = 'waiting')
                    order  by id
                    for    update) w
            where  s.id = w.id
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { organizationId, onlyWaiting, now }, cancellationToken));
    }

    private static string FactsOf(string kind, string project) =>
        $"""
        select s.id as ScheduleId, {GoneScope.Of("s")} as IsDeleted,
               live.id as LiveRunId, live.state as LiveRunState,
               opened.id as OpenRunId, opened.state as OpenRunState, opened.ended_at as OpenRunEndedAt,
               opened.reason as OpenRunReason, newest.created_at as LastRunCreatedAt,
               newest.refused_at as RefusedSpendingAt,
               success.ended_at as LastSuccessAt, success.snapshot_at as LastSnapshotAt,
               success.examples as LastExampleCount, general.id as GeneralModelId,
               general.first_promoted_at as GeneralModelFirstPromotedAt,
               training.id as GeneralRunId, training.state as GeneralRunState, own.id is not null as HasModel,
               organization.active_since as OrganizationRetrainsSince,
               today.runs as RunsOfDay, today.oldest_at as OldestRunOfDayAt
        from   ml.training_schedules s
        left   join lateral (
                   select r.id, r.state
                   from   ml.training_runs r
                   where  r.organization_id = s.organization_id
                   and    r.project_id {project}
                   and    r.purpose = 'training'
                   and    r.state not in ('succeeded', 'failed', 'skipped', 'cancelled')
                   limit  1) live on true
        left   join ml.training_runs opened on opened.id = s.open_run_id
        left   join lateral (
                   select r.created_at,
                          -- Only what may not spend is skipped with its dataset made, or what nobody has approved.
                          case when r.state = 'skipped' and r.dataset_id is not null and r.approval_asked_usd is null
                               then r.ended_at end as refused_at
                   from   ml.training_runs r
                   where  r.organization_id = s.organization_id
                   and    r.project_id {project}
                   and    r.purpose = 'training'
                   order  by r.created_at desc
                   limit  1) newest on true
        left   join lateral (
                   select r.ended_at, d.snapshot_at, d.train_examples + d.validation_examples as examples
                   from   ml.training_runs r
                   join   ml.datasets d on d.id = r.dataset_id
                   where  r.organization_id = s.organization_id
                   and    r.project_id {project}
                   and    r.purpose = 'training'
                   and    r.state = 'succeeded'
                   order  by r.created_at desc
                   limit  1) success on true
        cross  join lateral (
                   select count(*)::int as runs, min(r.created_at) as oldest_at
                   from   ml.training_runs r
                   where  r.organization_id = s.organization_id
                   and    r.project_id {project}
                   and    r.purpose = 'training'
                   and    r.created_at > @since) today
        left   join ml.fine_tuned_models general
                   on  general.organization_id = s.organization_id
                   and general.project_id is null
                   and general.status = 'ready'
                   and s.project_id is not null
        left   join ml.training_runs training
                   on  training.organization_id = s.organization_id
                   and training.project_id is null
                   and training.purpose = 'training'
                   and training.state not in ('succeeded', 'failed', 'skipped', 'cancelled')
                   and s.project_id is not null
        left   join ml.fine_tuned_models own
                   on  own.organization_id = s.organization_id
                   and own.project_id {project}
                   and own.status = 'ready'
        left   join ml.training_schedules organization
                   on  organization.organization_id = s.organization_id
                   and organization.project_id is null
                   and organization.enabled
                   and organization.retrain_projects
                   and s.project_id is not null
        where  s.id = any(@ids)
        and    {kind}
        """;
}
