using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Tuning;

/// <summary>
/// Every statement that touches <c>ml.tuning_attempts</c>, but for the look of <see cref="RunQueries.WakeRunsAsync"/>.
/// A state moves by compare-and-set; false means that somebody else moved it first.
/// </summary>
public static class TuningAttemptQueries
{
    private const string Columns =
        """
        a.run_id as RunId, a.organization_id as OrganizationId, a.attempt::int as Number, a.state,
        a.vertex_parent as VertexParent, a.run_label as RunLabel, a.dataset_uri as DatasetUri,
        a.dataset_generation as DatasetGeneration, a.base_model as BaseModel, a.parent_model_id as ParentModelId,
        a.pre_tuned_model as PreTunedModel, a.status_code as StatusCode, a.tuning_job as TuningJob,
        a.job_ended_at as JobEndedAt, a.dataset_deleted_at as DatasetDeletedAt, a.list_checks as ListChecks,
        clock_timestamp() - a.sent_at as Age, a.quiet_until as QuietUntil, a.last_listed_from as LastListedFrom
        """;

    /// <summary>Every attempt of a run, oldest first.</summary>
    public static async Task<IReadOnlyList<TuningAttempt>> ListAttemptsAsync(
        this NpgsqlConnection db, RunId runId, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.tuning_attempts a
            where  a.run_id = @runId
            order  by a.attempt
            """;

        return (await db.QueryAsync<TuningAttempt>(Sql.Command(sql, new { runId }, cancellationToken))).AsList();
    }

    /// <summary>Records the intent; the run must be <c>creating</c> in this transaction.</summary>
    /// <exception cref="PostgresException">
    /// An attempt is open (<c>one_open_attempt</c>), the object is burned, the token lives too long
    /// (<c>short_token</c>), or the list of jobs began before an earlier attempt was settled
    /// (<c>attempt_is_listed</c>).
    /// </exception>
    public static Task InsertAttemptAsync(
        this NpgsqlConnection db, TuningIntent intent, TimeSpan quietTime, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.tuning_attempts (
                run_id, organization_id, attempt, vertex_parent, run_label, dataset_uri, dataset_generation, base_model,
                parent_model_id, pre_tuned_model, estimated_cost_usd, request_sha256, token_expires_at, sent_at, quiet_until,
                next_check_at, listed_from)
            select @RunId, @OrganizationId, @Number, @VertexParent, @RunLabel, @DatasetUri, @DatasetGeneration,
                   @baseModel, @parentModelId, @preTunedModel, @EstimatedCostUsd, @RequestSha256, @TokenExpiresAt,
                   t.now, t.now + @quietTime, t.now, @ListedFrom
            from   (select clock_timestamp() as now) t
            """;

        var args = new DynamicParameters(new
        {
            intent.RunId,
            intent.OrganizationId,
            intent.Number,
            intent.VertexParent,
            intent.RunLabel,
            intent.DatasetUri,
            intent.DatasetGeneration,
            intent.EstimatedCostUsd,
            intent.RequestSha256,
            intent.TokenExpiresAt,
            intent.ListedFrom,
            quietTime,
            baseModel = intent.Plan.BaseModel,
            parentModelId = intent.Plan.Parent?.Id,
            preTunedModel = intent.Plan.Parent?.VertexModel,
        });
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary><c>sending</c> to <c>rejected</c>: the service refused, or nothing was sent.</summary>
    public static Task<bool> MarkRejectedAsync(
        this NpgsqlConnection db, RunId runId, int attempt, string code, string detail,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.tuning_attempts
            set    state       = 'rejected',
                   status_code = @code,
                   detail      = @detail
            where  run_id  = @runId
            and    attempt = @attempt
            and    state   = 'sending'
            """;

        return db.DidAsync(sql, new { runId, attempt, code, detail }, cancellationToken);
    }

    /// <summary><c>sending</c> to <c>unknown</c>.</summary>
    public static Task<bool> MarkUnknownAsync(
        this NpgsqlConnection db, RunId runId, int attempt, string code, string detail,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.tuning_attempts
            set    state         = 'unknown',
                   status_code   = @code,
                   detail        = @detail,
                   next_check_at = clock_timestamp()
            where  run_id  = @runId
            and    attempt = @attempt
            and    state   = 'sending'
            """;

        return db.DidAsync(sql, new { runId, attempt, code, detail }, cancellationToken);
    }

    /// <summary>Runs with an attempt whose worker has had more time than a lease gives, the longest first.</summary>
    public static async Task<IReadOnlyList<RunId>> ListStaleAsync(
        this NpgsqlConnection db, TimeSpan lease, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select a.run_id
            from   ml.tuning_attempts a
            join   ml.training_runs r on r.id = a.run_id
            where  a.state = 'sending'
            and    a.sent_at <= clock_timestamp() - @lease
            and    (r.lease_until is null or r.lease_until <= clock_timestamp())
            order  by row_number() over (partition by a.organization_id order by a.sent_at), a.sent_at
            limit  @limit
            """;

        return (await db.QueryAsync<RunId>(Sql.Command(sql, new { lease, limit }, cancellationToken))).AsList();
    }

    /// <summary>
    /// <c>sending</c> to <c>unknown</c>: its worker died, and perhaps after it sent. A cancelled run has no lease any
    /// more, so the time since the intent is what counts there.
    /// </summary>
    public static Task<bool> MarkStaleUnknownAsync(
        this NpgsqlConnection db, RunId runId, TimeSpan lease, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.tuning_attempts a
            set    state         = 'unknown',
                   status_code   = 'stale',
                   detail        = 'the worker that was to send it never came back',
                   next_check_at = clock_timestamp()
            from   ml.training_runs r
            where  r.id = a.run_id
            and    r.id = @runId
            and    a.state = 'sending'
            and    a.sent_at <= clock_timestamp() - @lease
            and    (r.lease_until is null or r.lease_until <= clock_timestamp())
            """;

        return db.DidAsync(sql, new { runId, lease }, cancellationToken);
    }

    /// <summary>Runs whose call has stayed without an answer, and unsettled, for this much longer than its quiet time.</summary>
    /// <param name="hopeless">For so much longer, and a person must settle it.</param>
    /// <remarks>Not those that rest with an operator.</remarks>
    public static async Task<IReadOnlyList<UnsettledCall>> ListUnsettledAsync(
        this NpgsqlConnection db, TimeSpan longer, TimeSpan hopeless, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select a.run_id as RunId, a.attempt::int as Attempt, a.sent_at as SentAt,
                   a.quiet_until < clock_timestamp() - @hopeless as IsHopeless
            from   ml.tuning_attempts a
            join   ml.training_runs r on r.id = a.run_id
            where  a.state = 'unknown'
            and    a.quiet_until < clock_timestamp() - @longer
            and    r.state <> 'needs_operator'
            and    not ml.run_is_final(r.state)
            order  by a.sent_at, a.run_id
            limit  @limit
            """;

        return (await db.QueryAsync<UnsettledCall>(
            Sql.Command(sql, new { longer, hopeless, limit }, cancellationToken))).AsList();
    }

    /// <summary>Attempts to <c>created</c>, with the name of their job.</summary>
    public static Task<bool> MarkCreatedAsync(
        this NpgsqlConnection db, RunId runId, int attempt, string tuningJob, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.tuning_attempts
            set    state      = 'created',
                   tuning_job = @tuningJob
            where  run_id  = @runId
            and    attempt = @attempt
            and    state in ('sending', 'unknown')
            """;

        return db.DidAsync(sql, new { runId, attempt, tuningJob }, cancellationToken);
    }

    /// <summary>The job of an attempt has ended, well or badly: its run may end too.</summary>
    public static Task<bool> MarkJobEndedAsync(
        this NpgsqlConnection db, RunId runId, int attempt, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.tuning_attempts
            set    job_ended_at = clock_timestamp()
            where  run_id  = @runId
            and    attempt = @attempt
            and    state   = 'created'
            and    job_ended_at is null
            """;

        return db.DidAsync(sql, new { runId, attempt }, cancellationToken);
    }

    /// <summary>
    /// Takes unresolved attempts whose next check has come, of each organization in turn, and sets the one after it:
    /// every 15 seconds at first, later every minute. So an attempt that cannot be settled does not keep its place
    /// before the others.
    /// </summary>
    public static async Task<IReadOnlyList<TuningAttempt>> TakeUnknownAttemptsAsync(
        this NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            with due as (
                select a.run_id, a.attempt
                from   ml.tuning_attempts a
                where  a.state = 'unknown'
                and    a.next_check_at <= clock_timestamp()
                order  by row_number() over (partition by a.organization_id order by a.next_check_at), a.next_check_at
                limit  @limit
            )
            update ml.tuning_attempts a
            set    next_check_at = clock_timestamp() + case when a.list_checks < 20 then interval '15 seconds'
                                                            else interval '60 seconds' end
            from   due
            where  a.run_id = due.run_id
            and    a.attempt = due.attempt
            and    a.state = 'unknown'
            and    a.next_check_at <= clock_timestamp()
            returning {Columns}
            """;

        return (await db.QueryAsync<TuningAttempt>(Sql.Command(sql, new { limit }, cancellationToken))).AsList();
    }

    /// <summary>A list that proves what it does not show has no job: it counts once.</summary>
    /// <param name="listedFrom">When the list began.</param>
    public static Task<bool> CountListCheckAsync(
        this NpgsqlConnection db, RunId runId, int attempt, DateTimeOffset listedFrom,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.tuning_attempts
            set    list_checks      = list_checks + 1,
                   last_listed_from = @listedFrom
            where  run_id  = @runId
            and    attempt = @attempt
            and    state   = 'unknown'
            and    (last_listed_from is null or last_listed_from < @listedFrom)
            """;

        return db.DidAsync(sql, new { runId, attempt, listedFrom }, cancellationToken);
    }

    /// <summary>The attempt's dataset object is gone: a request that lands after this finds nothing to tune with.</summary>
    public static Task<bool> MarkDatasetDeletedAsync(
        this NpgsqlConnection db, RunId runId, int attempt, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.tuning_attempts
            set    dataset_deleted_at = clock_timestamp()
            where  run_id  = @runId
            and    attempt = @attempt
            and    state   = 'unknown'
            and    dataset_deleted_at is null
            """;

        return db.DidAsync(sql, new { runId, attempt }, cancellationToken);
    }

    /// <summary><c>unknown</c> to <c>absent</c>.</summary>
    /// <exception cref="PostgresException">
    /// The proof is not complete (<c>absent_is_proven</c>), or the run has used its one conclusion (<c>one_presumed_absent</c>).
    /// </exception>
    /// <param name="listedFrom">When the list began that is the last proof; another one than counted last.</param>
    public static Task<bool> MarkAbsentAsync(
        this NpgsqlConnection db, RunId runId, int attempt, DateTimeOffset listedFrom,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.tuning_attempts
            set    state            = 'absent',
                   list_checks      = list_checks + 1,
                   last_listed_from = @listedFrom
            where  run_id  = @runId
            and    attempt = @attempt
            and    state   = 'unknown'
            and    last_listed_from < @listedFrom
            """;

        return db.DidAsync(sql, new { runId, attempt, listedFrom }, cancellationToken);
    }

    /// <summary>Estimate of the tuning job that was made last for the run's scope by another run.</summary>
    /// <returns>Null when there was none, or its price was not known.</returns>
    public static Task<decimal?> FindLastEstimateAsync(
        this NpgsqlConnection db, Run run, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            select a.estimated_cost_usd
            from   ml.training_runs r
            join   ml.tuning_attempts a on a.run_id = r.id and a.state = 'created'
            where  r.organization_id = @OrganizationId
            and    r.project_id {(run.Scope.IsGeneral ? "is null" : "= @ProjectId")}
            and    r.purpose = 'training'
            and    r.id <> @Id
            order  by r.created_at desc, r.id desc
            limit  1
            """;

        return db.ExecuteScalarAsync<decimal?>(
            Sql.Command(sql, new { run.OrganizationId, run.ProjectId, run.Id }, cancellationToken));
    }

    /// <summary>What the job of a run has cost, by what the service has counted. Once known it stays.</summary>
    public static Task<bool> MarkCostAsync(
        this NpgsqlConnection db, RunId runId, decimal actualUsd, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.tuning_attempts
            set    actual_cost_usd = @actualUsd
            where  run_id = @runId
            and    state  = 'created'
            and    actual_cost_usd is null
            """;

        return db.DidAsync(sql, new { runId, actualUsd }, cancellationToken);
    }

    /// <summary>Every project and region that an attempt was ever sent to.</summary>
    public static async Task<IReadOnlyList<string>> ListVertexParentsAsync(
        this NpgsqlConnection db, CancellationToken cancellationToken)
    {
        const string sql = "select distinct vertex_parent from ml.tuning_attempts order by vertex_parent";

        return (await db.QueryAsync<string>(Sql.Command(sql, args: null, cancellationToken))).AsList();
    }

    /// <summary>Of these tuning jobs, the ones that an attempt has recorded.</summary>
    public static async Task<IReadOnlySet<string>> ListRecordedJobsAsync(
        this NpgsqlConnection db, string[] names, CancellationToken cancellationToken)
    {
        const string sql = "select tuning_job from ml.tuning_attempts where tuning_job = any(@names)";

        return (await db.QueryAsync<string>(Sql.Command(sql, new { names }, cancellationToken))).ToHashSet();
    }

    /// <summary>Of these runs, those of which an attempt has a tuning job.</summary>
    public static async Task<IReadOnlySet<RunId>> ListRunsWithJobAsync(
        this NpgsqlConnection db, Guid[] ids, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select distinct run_id
            from   ml.tuning_attempts
            where  run_id = any(@ids)
            and    tuning_job is not null
            """;

        return (await db.QueryAsync<RunId>(Sql.Command(sql, new { ids }, cancellationToken))).ToHashSet();
    }

    /// <summary>Of these runs, those with an attempt of which nobody knows whether it has a tuning job.</summary>
    public static async Task<IReadOnlySet<RunId>> ListUnresolvedRunsAsync(
        this NpgsqlConnection db, Guid[] ids, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select distinct run_id
            from   ml.tuning_attempts
            where  run_id = any(@ids)
            and    state in ('sending', 'unknown')
            """;

        return (await db.QueryAsync<RunId>(Sql.Command(sql, new { ids }, cancellationToken))).ToHashSet();
    }

    private static async Task<bool> DidAsync(
        this NpgsqlConnection db, string sql, object args, CancellationToken cancellationToken) =>
        await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
}
