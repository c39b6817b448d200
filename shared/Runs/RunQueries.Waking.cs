using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

// For the sweep: what nobody works on and is due.
public static partial class RunQueries
{
    private const string WakeTopic =
        """
        case when r.state in ('requested', 'exporting') then 'export-requested'
             when r.state = 'evaluating' then 'tuning-started'
             else 'dataset-exported' end
        """;

    private const string Waiting =
        $"""
        r.not_before <= clock_timestamp()
        and    r.updated_at <= clock_timestamp() - @patience
        and    (r.lease_until is null or r.lease_until <= clock_timestamp())
        and    (r.state in ('requested', 'exporting', 'exported', 'evaluating')
                or (r.state = 'create_unknown' and exists (
                    select 1 from ml.tuning_attempts a where a.run_id = r.id and a.state = 'absent')
                    and not exists (
                    select 1 from ml.tuning_attempts a
                    where  a.run_id = r.id and a.state in ('sending', 'unknown', 'created'))))
        and    not exists (
                   select 1
                   from   ml.outbox o
                   where  o.run_id = r.id
                   and    o.status = 'pending'
                   and    o.topic = {WakeTopic})
        """;

    private static readonly string Stray =
        $"""
        select r.id as Id,
               exists (select 1 from kb.orgs o where o.id = r.organization_id and o.deleted_at is null) as HasOrganization
        from   ml.training_runs r
        where  r.state not in ('succeeded', 'failed', 'skipped', 'cancelled', 'cancelling', 'needs_operator')
        and    {GoneScope.Of("r")}
        """;

    /// <summary>
    /// Takes runs whose tuning job is to be looked at now, of each organization in turn, the longest waiting first. The
    /// next look is set before this one, so a run that cannot be looked at does not keep its place before the others.
    /// </summary>
    public static async Task<IReadOnlyList<DuePoll>> TakeDuePollsAsync(
        this NpgsqlConnection db, int limit, TimeSpan nextLook, CancellationToken cancellationToken)
    {
        const string sql =
            """
            with waiting as (
                select id, next_poll_at, row_number() over (partition by organization_id order by next_poll_at) as turn
                from   ml.training_runs
                where  state in ('tuning', 'cancelling')
                and    next_poll_at <= clock_timestamp()
                and    (lease_until is null or lease_until <= clock_timestamp())
            ), due as (
                select id, next_poll_at, turn
                from   waiting
                order  by turn, next_poll_at
                limit  @limit
            ), taken as (
                update ml.training_runs r
                set    next_poll_at = clock_timestamp() + @nextLook
                from   due
                where  r.id = due.id
                and    r.state in ('tuning', 'cancelling')
                and    r.next_poll_at <= clock_timestamp()
                returning r.id, r.trace_parent, due.turn, due.next_poll_at
            )
            select id, trace_parent
            from   taken
            order  by turn, next_poll_at
            """;

        return (await db.QueryAsync<DuePoll>(Sql.Command(sql, new { limit, nextLook }, cancellationToken))).AsList();
    }

    /// <summary>After a look that failed.</summary>
    public static Task PostponePollAsync(
        this NpgsqlConnection db, RunId id, TimeSpan nextLook, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    next_poll_at = clock_timestamp() + @nextLook
            where  id = @id
            and    state in ('tuning', 'cancelling')
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { id, nextLook }, cancellationToken));
    }

    /// <summary>
    /// Runs that wait for an export, a create step or an evaluation and that nobody is working on: their first message was lost,
    /// their worker died, or a wait is over. Those come first that were left alone for the longest. One whose message still
    /// waits in the outbox is not there: a topic that is away for a day would get one for each sweep.
    /// </summary>
    public static async Task<IReadOnlyList<RunId>> ListWaitingRunsAsync(
        this NpgsqlConnection db, int limit, TimeSpan patience, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select r.id
            from   ml.training_runs r
            where  {Waiting}
            order  by r.updated_at
            limit  @limit
            """;

        return (await db.QueryAsync<RunId>(Sql.Command(sql, new { limit, patience }, cancellationToken))).AsList();
    }

    /// <summary>
    /// Of these runs, takes those that still wait, and puts their wake-up message into the outbox again. The new epoch
    /// gives the message a new key; a run is woken again only after <paramref name="patience"/>.
    /// </summary>
    /// <returns>The runs that were woken.</returns>
    public static async Task<IReadOnlyList<RunId>> WakeRunsAsync(
        this NpgsqlConnection db, IReadOnlyList<RunId> runs, TimeSpan patience, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            with due as (
                select r.id
                from   ml.training_runs r
                where  r.id = any(@ids)
                and    {Waiting}
                for    update skip locked
            ), woken as (
                update ml.training_runs r
                set    epoch       = r.epoch + 1,
                       lease_until = null,
                       updated_at  = clock_timestamp()
                from   due
                where  r.id = due.id
                returning r.id, r.organization_id, r.epoch, r.trace_parent, {WakeTopic} as topic
            ), sent as (
                insert into ml.outbox (organization_id, run_id, topic, payload, dedup_key, trace_parent, created_at)
                select organization_id, id, topic, json_build_object('runId', id)::text,
                       id || ':' || topic || ':' || epoch, trace_parent, clock_timestamp()
                from   woken
                on     conflict (dedup_key) do nothing
            )
            select id from woken
            """;

        var args = new { ids = runs.Select(run => run.Value).ToArray(), patience };
        return (await db.QueryAsync<RunId>(Sql.Command(sql, args, cancellationToken))).AsList();
    }

    /// <summary>
    /// Runs whose state has lasted longer than its deadline, of each organization in turn. One that is being cancelled
    /// is there after a look at its job since then: the look may find its end.
    /// </summary>
    /// <param name="states">Without <c>needs_operator</c>, which rests for as long as it takes.</param>
    public static async Task<IReadOnlyList<Run>> ListOverdueRunsAsync(
        this NpgsqlConnection db, string[] states, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.training_runs
            where  deadline_at < clock_timestamp()
            and    state = any(@states)
            and    (state <> 'cancelling' or next_poll_at > deadline_at)
            order  by row_number() over (partition by organization_id order by deadline_at), deadline_at
            limit  @limit
            """;

        return (await db.QueryAsync<Run>(Sql.Command(sql, new { states, limit }, cancellationToken))).AsList();
    }

    /// <summary>Runs that go on although the product has deleted their project or organization.</summary>
    /// <remarks>Not those that are being cancelled, and not those that rest with an operator.</remarks>
    public static async Task<IReadOnlyList<StrayRun>> ListStrayRunsAsync(
        this NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            {Stray}
            order  by row_number() over (partition by r.organization_id order by r.id), r.id
            limit  @limit
            """;

        return (await db.QueryAsync<StrayRun>(Sql.Command(sql, new { limit }, cancellationToken))).AsList();
    }

    /// <summary>Null when the run's scope is there, or the run is not one of <see cref="ListStrayRunsAsync"/>.</summary>
    public static Task<StrayRun?> FindStrayRunAsync(
        this NpgsqlConnection db, RunId id, CancellationToken cancellationToken) =>
        db.QuerySingleOrDefaultAsync<StrayRun>(Sql.Command(
            $"{Stray} and r.id = @id", new { id }, cancellationToken));

    /// <summary>Runs that failed so short a time ago, the latest first.</summary>
    public static async Task<IReadOnlyList<Run>> ListFailedAsync(
        this NpgsqlConnection db, TimeSpan ago, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.training_runs
            where  state = 'failed'
            and    ended_at > clock_timestamp() - @ago
            order  by ended_at desc
            limit  @limit
            """;

        return (await db.QueryAsync<Run>(Sql.Command(sql, new { ago, limit }, cancellationToken))).AsList();
    }
}
