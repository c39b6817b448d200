using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>
/// Every statement that touches <c>ml.training_runs</c>. A state moves by compare-and-set; a method that moves one returns
/// whether this call did it, and false is a redelivery or a lost lease, not an error.
/// </summary>
public static partial class RunQueries
{
    private const string Columns =
        """
        id, organization_id as OrganizationId, project_id as ProjectId, purpose, trigger, requested_by as RequestedBy,
        parameters::text as ParametersJson, version, state, reason, epoch, step_attempts as StepAttempts,
        ends_as as EndsAs, poll_count as PollCount, dataset_id as DatasetId, estimated_cost_usd as EstimatedCostUsd,
        approval_asked_usd as ApprovalAskedUsd, approved_usd as ApprovedUsd, deadline_at as DeadlineAt,
        model_id as ModelId, created_at as CreatedAt, trace_parent as TraceParent,
        deadline_at < clock_timestamp() as IsOverdue
        """;

    /// <summary>Adds a run in state <c>requested</c>.</summary>
    /// <exception cref="PostgresException">Constraint <c>one_live_run</c>: the scope has a run that is not over.</exception>
    public static Task InsertRunAsync(
        this NpgsqlConnection db, RunId id, RunRequest request, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // An export and a training may begin in the same millisecond; the second one's version is the next.
        const string sql =
            """
            insert into ml.training_runs (
                id, organization_id, project_id, purpose, trigger, requested_by, parameters, version, not_before,
                deadline_at, trace_parent, created_at, updated_at)
            select @id, @OrganizationId, @ProjectId, @Purpose, @Trigger, @RequestedBy, @parameters::jsonb,
                   greatest(@version, max(version) + 1), clock_timestamp(), clock_timestamp() + interval '1 hour',
                   @traceParent, @now, @now
            from   ml.training_runs
            where  organization_id = @OrganizationId
            and    project_id is not distinct from @ProjectId
            """;

        var args = new
        {
            id,
            request.Scope.OrganizationId,
            request.Scope.ProjectId,
            request.Purpose,
            request.Trigger,
            request.RequestedBy,
            parameters = request.Parameters.ToJson(),
            version = now.ToUnixTimeMilliseconds(),
            traceParent = PipelineTraces.RunParent,
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    public static Task<Run?> FindRunAsync(this NpgsqlConnection db, RunId id, CancellationToken cancellationToken) =>
        db.QuerySingleOrDefaultAsync<Run>(Sql.Command(
            $"select {Columns} from ml.training_runs where id = @id", new { id }, cancellationToken));

    /// <summary>Trainings of the scope that began within the 24 hours before <paramref name="now"/>.</summary>
    public static async Task<RunsOfDay> CountRunsOfDayAsync(
        this NpgsqlConnection db, Scope scope, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            select count(*)::int as count, min(created_at) as oldest_at
            from   ml.training_runs
            where  organization_id = @OrganizationId
            and    project_id {(scope.IsGeneral ? "is null" : "= @ProjectId")}
            and    purpose = 'training'
            and    created_at > @since
            """;

        var args = new { scope.OrganizationId, scope.ProjectId, since = now.ToUniversalTime() - RunsOfDay.Day };
        var (count, oldestAt) = await db.QuerySingleAsync<(int Count, DateTimeOffset? OldestAt)>(
            Sql.Command(sql, args, cancellationToken));
        return new(count, oldestAt);
    }

    /// <summary>Whether there is any run of the project, of the organization, or of the project in the organization.</summary>
    public static Task<bool> HasRunsAsync(
        this NpgsqlConnection db, Guid? organizationId, Guid? projectId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select exists (
                select 1
                from   ml.training_runs
                where  (@organizationId::uuid is null or organization_id = @organizationId)
                and    (@projectId::uuid is null or project_id = @projectId))
            """;

        return db.ExecuteScalarAsync<bool>(Sql.Command(sql, new { organizationId, projectId }, cancellationToken));
    }

    /// <summary>The run of a scope and purpose that is not over, if any.</summary>
    public static Task<Run?> FindLiveRunAsync(
        this NpgsqlConnection db, Scope scope, string purpose, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.training_runs
            where  organization_id = @OrganizationId
            and    project_id is not distinct from @ProjectId
            and    purpose = @purpose
            and    not ml.run_is_final(state)
            """;

        var args = new { scope.OrganizationId, scope.ProjectId, purpose };
        return db.QuerySingleOrDefaultAsync<Run>(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>
    /// Takes the lease of a run that is in one of <paramref name="from"/>, due, and held by nobody, and moves it to
    /// <paramref name="to"/> (null: where it is).
    /// </summary>
    /// <returns>The run as it is now; null when it is elsewhere, not due, or held by a worker whose lease still runs.</returns>
    public static Task<Run?> ClaimRunAsync(
        this NpgsqlConnection db, RunId id, string[] from, string? to, TimeSpan lease, TimeSpan deadline,
        CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            update ml.training_runs
            set    state         = coalesce(@to, state),
                   epoch         = epoch + 1,
                   lease_until   = clock_timestamp() + @lease,
                   step_attempts = case when state = coalesce(@to, state) then step_attempts + 1 else 1 end,
                   deadline_at   = case when state = coalesce(@to, state) then deadline_at
                                        else clock_timestamp() + @deadline end,
                   updated_at    = clock_timestamp()
            where  id = @id
            and    state = any(@from)
            and    not_before <= clock_timestamp()
            and    (lease_until is null or lease_until <= clock_timestamp())
            returning {Columns}
            """;

        return db.QuerySingleOrDefaultAsync<Run>(Sql.Command(
            sql, new { id, from, to, lease, deadline }, cancellationToken));
    }

    /// <summary>Prolongs the lease of a claim and shows how far it has come; false when the lease was lost.</summary>
    public static async Task<bool> ExtendLeaseAsync(
        this NpgsqlConnection db, Run claim, TimeSpan lease, string? progressJson, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    lease_until = clock_timestamp() + @lease,
                   progress    = coalesce(@progressJson::jsonb, progress),
                   updated_at  = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            and    lease_until > clock_timestamp()
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, lease, progressJson };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary>
    /// Gives a claim back, so that the redelivery need not wait for the lease to run out, and keeps what went wrong where a
    /// person sees it. Does nothing once the run has moved on.
    /// </summary>
    public static Task ReleaseAsync(
        this NpgsqlConnection db, Run claim, string? reason, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    lease_until = null,
                   reason      = coalesce(@reason, reason),
                   updated_at  = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { claim.Id, claim.Epoch, claim.State, reason }, cancellationToken));
    }
}
