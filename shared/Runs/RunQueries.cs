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

    /// <summary>
    /// Moves a claimed run on and frees its lease. Final states get their end time; <paramref name="deadline"/> is how long
    /// the new state may last.
    /// </summary>
    public static async Task<bool> MoveAsync(
        this NpgsqlConnection db, Run claim, string to, string? reason, TimeSpan deadline,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state         = @to,
                   reason        = @reason,
                   lease_until   = null,
                   step_attempts = 0,
                   deadline_at   = clock_timestamp() + @deadline,
                   updated_at    = clock_timestamp(),
                   ended_at      = case when ml.run_is_final(@to) then clock_timestamp() end
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, to, reason, deadline };
        return Count(await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1, claim, to);
    }

    /// <summary><c>exporting</c> to <c>exported</c>, with the dataset and what its tuning is expected to cost.</summary>
    public static async Task<bool> MarkExportedAsync(
        this NpgsqlConnection db, Run claim, Guid datasetId, decimal? estimatedCostUsd, string progressJson,
        TimeSpan deadline, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state              = 'exported',
                   reason             = null,
                   dataset_id         = @datasetId,
                   estimated_cost_usd = @estimatedCostUsd,
                   progress           = @progressJson::jsonb,
                   lease_until        = null,
                   step_attempts      = 0,
                   deadline_at        = clock_timestamp() + @deadline,
                   updated_at         = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = 'exporting'
            """;

        var args = new { claim.Id, claim.Epoch, datasetId, estimatedCostUsd, progressJson, deadline };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary>An export that leads to no training: <c>exporting</c> to <c>succeeded</c>, with its dataset.</summary>
    public static async Task<bool> MarkExportSucceededAsync(
        this NpgsqlConnection db, Run claim, Guid datasetId, string progressJson, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state       = 'succeeded',
                   reason      = null,
                   dataset_id  = @datasetId,
                   progress    = @progressJson::jsonb,
                   lease_until = null,
                   updated_at  = clock_timestamp(),
                   ended_at    = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = 'exporting'
            and    purpose = 'export'
            """;

        var args = new { claim.Id, claim.Epoch, datasetId, progressJson };
        return Count(await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1, claim, RunState.Succeeded);
    }

    /// <summary>
    /// Keeps a run where it is until <paramref name="delay"/> has passed, and says why. A wait on purpose does not count as
    /// a failed attempt of the step, and the deadline goes on.
    /// </summary>
    /// <param name="deadline">How long the state may last from then on; null: the deadline stays.</param>
    public static async Task<bool> PostponeAsync(
        this NpgsqlConnection db, Run claim, string to, TimeSpan delay, string reason,
        CancellationToken cancellationToken, TimeSpan? deadline = null)
    {
        const string sql =
            """
            update ml.training_runs
            set    state         = @to,
                   reason        = @reason,
                   lease_until   = null,
                   step_attempts = 0,
                   not_before    = clock_timestamp() + @delay,
                   deadline_at   = coalesce(clock_timestamp() + @delay + @deadline::interval, deadline_at),
                   updated_at    = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, to, delay, reason, deadline };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary>
    /// A run whose tuning job is recorded: <c>creating</c>, <c>create_unknown</c> or <c>needs_operator</c> to <c>tuning</c>.
    /// A run that is being cancelled stays so, with its deadline; its job is looked at at once.
    /// </summary>
    public static async Task<bool> MarkTuningAsync(
        this NpgsqlConnection db, RunId id, TimeSpan pollAfter, TimeSpan deadline, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state         = case when state = 'cancelling' then state else 'tuning' end,
                   reason        = case when state = 'cancelling' then reason end,
                   lease_until   = null,
                   step_attempts = 0,
                   poll_count    = 0,
                   next_poll_at  = case when state = 'cancelling' then clock_timestamp()
                                        else clock_timestamp() + @pollAfter end,
                   deadline_at   = case when state = 'cancelling' then deadline_at
                                        else clock_timestamp() + @deadline end,
                   updated_at    = clock_timestamp()
            where  id = @id
            and    state in ('creating', 'create_unknown', 'needs_operator', 'cancelling')
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { id, pollAfter, deadline }, cancellationToken)) == 1;
    }

    /// <summary>After a poll that found the job still at work.</summary>
    public static async Task<bool> SetNextPollAsync(
        this NpgsqlConnection db, Run claim, TimeSpan pollAfter, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    poll_count    = poll_count + 1,
                   step_attempts = 0,
                   next_poll_at  = clock_timestamp() + @pollAfter,
                   lease_until   = null,
                   updated_at    = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, pollAfter };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary><c>evaluating</c> to <c>succeeded</c>, with the model of the same id.</summary>
    /// <param name="reason">Why its model is not in use; null when it is.</param>
    public static async Task<bool> MarkSucceededAsync(
        this NpgsqlConnection db, Run claim, string? reason, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state       = 'succeeded',
                   reason      = @reason,
                   model_id    = id,
                   lease_until = null,
                   updated_at  = clock_timestamp(),
                   ended_at    = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = 'evaluating'
            """;

        var args = new { claim.Id, claim.Epoch, reason };
        return Count(
            await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1, claim, RunState.Succeeded);
    }

    /// <summary>
    /// Any live state to <c>cancelling</c>, whoever holds the lease: that worker's next write misses. The run is polled at
    /// once and ends as <paramref name="endsAs"/> (<c>cancelled</c> or <c>failed</c>) when no job is left alive.
    /// </summary>
    public static async Task<bool> MarkCancellingAsync(
        this NpgsqlConnection db, RunId id, string endsAs, string reason, TimeSpan deadline,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state        = 'cancelling',
                   reason       = @reason,
                   ends_as      = @endsAs,
                   epoch        = epoch + 1,
                   lease_until  = null,
                   not_before   = clock_timestamp(),
                   next_poll_at = clock_timestamp(),
                   deadline_at  = clock_timestamp() + @deadline,
                   updated_at   = clock_timestamp()
            where  id = @id
            and    ml.run_may_move(state, 'cancelling')
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { id, endsAs, reason, deadline }, cancellationToken)) == 1;
    }

    /// <summary>Runs whose tuning job is to be looked at now, the longest waiting first.</summary>
    public static async Task<IReadOnlyList<DuePoll>> ListDuePollsAsync(
        this NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, trace_parent
            from   ml.training_runs
            where  state in ('tuning', 'cancelling')
            and    next_poll_at <= clock_timestamp()
            and    (lease_until is null or lease_until <= clock_timestamp())
            order  by next_poll_at
            limit  @limit
            """;

        return (await db.QueryAsync<DuePoll>(Sql.Command(sql, new { limit }, cancellationToken))).AsList();
    }

    /// <summary>
    /// Takes up to <paramref name="limit"/> runs that wait for an export, a create step or an evaluation and that nobody is
    /// working on, and puts their wake-up message into the outbox again: the first message was lost, its worker died, or a wait is over.
    /// The new epoch gives the message a new key; a run is woken again only after <paramref name="patience"/>.
    /// </summary>
    /// <returns>The runs that were woken.</returns>
    public static async Task<IReadOnlyList<RunId>> WakeDueRunsAsync(
        this NpgsqlConnection db, int limit, TimeSpan patience, CancellationToken cancellationToken)
    {
        const string sql =
            """
            with due as (
                select r.id
                from   ml.training_runs r
                where  r.not_before <= clock_timestamp()
                and    r.updated_at <= clock_timestamp() - @patience
                and    (r.lease_until is null or r.lease_until <= clock_timestamp())
                and    (r.state in ('requested', 'exporting', 'exported', 'evaluating')
                        or (r.state = 'create_unknown' and exists (
                            select 1 from ml.tuning_attempts a where a.run_id = r.id and a.state = 'absent')
                            and not exists (
                            select 1 from ml.tuning_attempts a
                            where  a.run_id = r.id and a.state in ('sending', 'unknown', 'created'))))
                order  by r.not_before
                limit  @limit
                for    update skip locked
            ), woken as (
                update ml.training_runs r
                set    epoch       = r.epoch + 1,
                       lease_until = null,
                       updated_at  = clock_timestamp()
                from   due
                where  r.id = due.id
                returning r.id, r.organization_id, r.epoch, r.trace_parent,
                          case when r.state in ('requested', 'exporting') then 'export-requested'
                               when r.state = 'evaluating' then 'tuning-started'
                               else 'dataset-exported' end as topic
            ), sent as (
                insert into ml.outbox (organization_id, run_id, topic, payload, dedup_key, trace_parent, created_at)
                select organization_id, id, topic, json_build_object('runId', id)::text,
                       id || ':' || topic || ':' || epoch, trace_parent, clock_timestamp()
                from   woken
                on     conflict (dedup_key) do nothing
            )
            select id from woken
            """;

        return (await db.QueryAsync<RunId>(Sql.Command(sql, new { limit, patience }, cancellationToken))).AsList();
    }

    /// <summary>Live runs whose state has lasted longer than its deadline, a resting one excepted.</summary>
    public static async Task<IReadOnlyList<Run>> ListOverdueRunsAsync(
        this NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.training_runs
            where  deadline_at < clock_timestamp()
            and    state in ('requested', 'exporting', 'exported', 'tuning', 'evaluating', 'cancelling')
            order  by deadline_at
            limit  @limit
            """;

        return (await db.QueryAsync<Run>(Sql.Command(sql, new { limit }, cancellationToken))).AsList();
    }

    // Here, where every end passes. A transaction that is rolled back afterwards has counted once too often; the rows are the
    // truth, and the metric is for alarms.
    private static bool Count(bool isMoved, Run claim, string to)
    {
        if (isMoved && RunTransitions.IsFinal(to))
        {
            PipelineMetrics.RunEnded(claim, to);
        }

        return isMoved;
    }
}
