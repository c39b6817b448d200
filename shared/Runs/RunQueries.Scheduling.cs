using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>A training that a schedule starts.</summary>
/// <param name="Trigger">One of <see cref="RunTrigger"/>, but not <see cref="RunTrigger.Manual"/>.</param>
/// <param name="Slot">With <see cref="RunTrigger.Cron"/> and only then; one run for each slot of a schedule.</param>
public sealed record ScheduledRun(
    RunId Id, Scope Scope, Guid ScheduleId, string Trigger, DateTimeOffset? Slot, string Reason, RunParameters Parameters)
{
    /// <summary>As the run and the audit log name who asked.</summary>
    public string RequestedBy => $"schedule:{ScheduleId}";
}

/// <summary>The part for schedules, which start many runs at once.</summary>
public static partial class RunQueries
{
    /// <summary>When the last successful training that was over by then had read its data.</summary>
    /// <returns>Null when there was none.</returns>
    public static Task<DateTimeOffset?> FindTrainedOnAsync(
        this NpgsqlConnection db, Scope scope, DateTimeOffset by, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select d.snapshot_at
            from   ml.training_runs r
            join   ml.datasets d on d.id = r.dataset_id
            where  r.organization_id = @OrganizationId
            and    r.project_id is not distinct from @ProjectId
            and    r.purpose = 'training'
            and    r.state = 'succeeded'
            and    r.ended_at <= @by
            order  by r.created_at desc
            limit  1
            """;

        var args = new { scope.OrganizationId, scope.ProjectId, by };
        return db.QuerySingleOrDefaultAsync<DateTimeOffset?>(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Adds runs in state <c>requested</c>, and leaves out what a constraint forbids.</summary>
    /// <returns>
    /// Those that were added. The others' scope has a live run, or their slot its run, or an export of the scope took the
    /// same version at the same moment.
    /// </returns>
    public static async Task<IReadOnlyList<RunId>> InsertScheduledRunsAsync(
        this NpgsqlConnection db, IReadOnlyList<ScheduledRun> runs, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        // Two questions for the last version, because no index answers "is not distinct from".
        const string sql =
            """
            insert into ml.training_runs (
                id, organization_id, project_id, purpose, trigger, schedule_id, slot, requested_by, parameters, version,
                not_before, deadline_at, trace_parent, created_at, updated_at)
            select w.id, w.organization_id, w.project_id, 'training', w.trigger, w.schedule_id, w.slot, w.requested_by,
                   w.parameters::jsonb,
                   greatest(
                       @version,
                       (select max(r.version) + 1
                        from   ml.training_runs r
                        where  r.organization_id = w.organization_id
                        and    r.project_id = w.project_id),
                       (select max(r.version) + 1
                        from   ml.training_runs r
                        where  r.organization_id = w.organization_id
                        and    r.project_id is null
                        and    w.project_id is null)),
                   clock_timestamp(), clock_timestamp() + interval '1 hour', @traceParent, @now, @now
            from   unnest(@ids, @organizations, @projects, @triggers, @schedules, @slots, @requesters, @parameters)
                   as w (id, organization_id, project_id, trigger, schedule_id, slot, requested_by, parameters)
            on     conflict do nothing
            returning id
            """;

        var args = new
        {
            ids = Each(run => run.Id.Value),
            organizations = Each(run => run.Scope.OrganizationId),
            projects = Each(run => run.Scope.ProjectId),
            triggers = Each(run => run.Trigger),
            schedules = Each(run => run.ScheduleId),
            slots = Each(run => run.Slot),
            requesters = Each(run => run.RequestedBy),
            parameters = Each(run => run.Parameters.ToJson()),
            version = now.ToUnixTimeMilliseconds(),
            traceParent = PipelineTraces.RunParent,
            now,
        };
        return (await db.QueryAsync<RunId>(Sql.Command(sql, args, cancellationToken))).AsList();

        T[] Each<T>(Func<ScheduledRun, T> member) => [.. runs.Select(member)];
    }

    /// <summary>
    /// Of these organizations, how many projects are being trained again because of a new general model. One that waits for a
    /// person takes no place: the others would wait for days.
    /// </summary>
    /// <returns>Nothing of an organization without any.</returns>
    public static async Task<IReadOnlyDictionary<Guid, int>> CountRetrainingsAsync(
        this NpgsqlConnection db, Guid[] organizations, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select organization_id, count(*)::int
            from   ml.training_runs
            where  organization_id = any(@organizations)
            and    trigger = 'general_update'
            and    state not in ('succeeded', 'failed', 'skipped', 'cancelled')
            and    state <> 'awaiting_approval'
            group  by organization_id
            """;

        var rows = await db.QueryAsync<(Guid Organization, int Count)>(
            Sql.Command(sql, new { organizations }, cancellationToken));
        return rows.ToDictionary(row => row.Organization, row => row.Count);
    }
}
