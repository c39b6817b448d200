using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>A run as people look at it: with who, how far, with what files, and what it cost.</summary>
public sealed record RunOverview
{
    public required RunId Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public Guid? ProjectId { get; init; }
    public required string Purpose { get; init; }
    public required string Trigger { get; init; }
    public required string RequestedBy { get; init; }

    /// <summary>Name of the person behind <see cref="RequestedBy"/>; null for a program, and for a person that is gone.</summary>
    public string? RequestedByName { get; init; }

    public required string ParametersJson { get; init; }
    public required long Version { get; init; }
    public required string State { get; init; }
    public string? Reason { get; init; }
    public string? ProgressJson { get; init; }
    public Guid? DatasetId { get; init; }
    public string? DatasetUri { get; init; }
    public int? TrainExamples { get; init; }
    public int? ValidationExamples { get; init; }

    /// <summary>Held out: no tuning job is given them.</summary>
    public int? TestExamples { get; init; }

    public decimal? EstimatedCostUsd { get; init; }

    /// <summary>As <see cref="Run.ApprovalAskedUsd"/>.</summary>
    public decimal? ApprovalAskedUsd { get; init; }

    public decimal? ApprovedUsd { get; init; }
    public DateTimeOffset? ApprovedAt { get; init; }

    /// <summary>Until when the present state may last.</summary>
    public DateTimeOffset DeadlineAt { get; init; }

    public Guid? ModelId { get; init; }
    public int? ModelVersion { get; init; }

    /// <summary>Status of the model in the registry.</summary>
    public string? ModelStatus { get; init; }

    /// <summary>What its evaluation says; null before that, see <see cref="Registry.ModelVerdict"/>.</summary>
    public string? Verdict { get; init; }

    public string? VerdictReason { get; init; }

    /// <summary><c>projects/…/locations/…/tuningJobs/…</c>, once there is one.</summary>
    public string? TuningJob { get; init; }

    /// <summary>Base model of the job; null before the job is planned.</summary>
    public string? BaseModel { get; init; }

    public Guid? ParentModelId { get; init; }

    /// <summary>What Vertex counted; null before the model is registered.</summary>
    public string? TuningStatisticsJson { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    public Scope Scope => new(OrganizationId, ProjectId);

    public RunParameters Parameters => RunParameters.FromJson(ParametersJson);
}

/// <summary>A state that a run came to.</summary>
public sealed record RunEvent(string State, string? Reason, DateTimeOffset At);

/// <summary>Reading for people: lists by key, details, history.</summary>
public static partial class RunQueries
{
    private const string Overview =
        """
        select r.id, r.organization_id, r.project_id, r.purpose, r.trigger, r.requested_by as RequestedBy,
               coalesce(nullif(p.display_name, ''), nullif(concat_ws(' ', p.first_name, p.last_name), ''))
                   as RequestedByName,
               r.parameters::text as ParametersJson, r.version, r.state, r.reason, r.progress::text as ProgressJson,
               r.dataset_id as DatasetId, d.uri as DatasetUri, d.train_examples as TrainExamples,
               d.validation_examples as ValidationExamples, d.test_examples as TestExamples,
               r.estimated_cost_usd as EstimatedCostUsd, r.approval_asked_usd as ApprovalAskedUsd,
               r.approved_usd as ApprovedUsd, r.approved_at as ApprovedAt, r.deadline_at as DeadlineAt,
               r.model_id as ModelId, m.version as ModelVersion, m.status as ModelStatus,
               m.verdict, m.verdict_reason as VerdictReason,
               coalesce(a.tuning_job, m.tuning_job) as TuningJob, coalesce(a.base_model, m.base_model) as BaseModel,
               coalesce(a.parent_model_id, m.parent_model_id) as ParentModelId,
               m.tuning_statistics::text as TuningStatisticsJson, r.created_at as CreatedAt, r.updated_at as UpdatedAt,
               r.ended_at as EndedAt
        from   chosen r
        left   join ml.datasets d on d.id = r.dataset_id
        left   join ml.fine_tuned_models m on m.id = r.id
        left   join core.user_profiles p
               on p.id = case when r.requested_by ~ '^user:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                              then substr(r.requested_by, 6)::uuid end
        left   join lateral (
                   select a.tuning_job, a.base_model, a.parent_model_id
                   from   ml.tuning_attempts a
                   where  a.run_id = r.id
                   order  by a.attempt desc
                   limit  1) a on true
        """;

    /// <summary>A run of a scope that the caller may see; null for every other one.</summary>
    /// <param name="purpose">Null: whatever it is for.</param>
    public static Task<RunOverview?> FindRunOverviewAsync(
        this NpgsqlConnection db, RunId id, string? purpose, ScopeFilter visible, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            with chosen as (
                select *
                from   ml.training_runs
                where  id = @id
                and    (@purpose::text is null or purpose = @purpose)
                and    {ScopeFilter.Condition}
            )
            {Overview}
            """;

        var args = new { id, purpose, visible.WholeOrganizations, visible.Organizations, visible.Projects };
        return db.QuerySingleOrDefaultAsync<RunOverview>(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Runs that the caller may see, newest first, from after a key on.</summary>
    public static async Task<IReadOnlyList<RunOverview>> ListRunOverviewsAsync(
        this NpgsqlConnection db, string purpose, ScopeFilter visible, RunFilter filter, PageKey? after, int limit,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            with chosen as (
                select *
                from   ml.training_runs
                where  purpose = @purpose
                and    {ScopeFilter.Condition}
                and    (@state::text is null or state = @state)
                and    (@trigger::text is null or trigger = @trigger)
                and    (@createdFrom::timestamptz is null or created_at >= @createdFrom)
                and    (@createdBefore::timestamptz is null or created_at < @createdBefore)
                and    (@afterTime::timestamptz is null or (created_at, id) < (@afterTime, @afterId))
                order  by created_at desc, id desc
                limit  @limit
            )
            {Overview}
            order  by r.created_at desc, r.id desc
            """;

        var args = new
        {
            purpose,
            visible.WholeOrganizations,
            visible.Organizations,
            visible.Projects,
            filter.State,
            filter.Trigger,
            createdFrom = filter.CreatedFrom?.ToUniversalTime(),
            createdBefore = filter.CreatedBefore?.ToUniversalTime(),
            afterTime = after?.CreatedAt,
            afterId = after?.Id,
            limit,
        };
        return (await db.QueryAsync<RunOverview>(Sql.Command(sql, args, cancellationToken))).AsList();
    }

    /// <summary>The states of a run, oldest first.</summary>
    public static async Task<IReadOnlyList<RunEvent>> ListRunEventsAsync(
        this NpgsqlConnection db, RunId id, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select state, reason, at
            from   ml.run_events
            where  run_id = @id
            order  by id
            """;

        return (await db.QueryAsync<RunEvent>(Sql.Command(sql, new { id }, cancellationToken))).AsList();
    }
}
