using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

// For the sweep: what nobody works on and is due.
public static partial class RunQueries
{
    private static readonly string Stray =
        $"""
        select r.id as Id,
               exists (select 1 from kb.orgs o where o.id = r.organization_id and o.deleted_at is null) as HasOrganization
        from   ml.training_runs r
        where  r.state not in ('succeeded', 'failed', 'skipped', 'cancelled', 'cancelling', 'needs_operator')
        and    {GoneScope.Of("r")}
        """;

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
    /// The new epoch gives the message a new key; a run is woken again only after <paramref name="patience"/>, and not
    /// while its message still waits in the outbox: a topic that is away for a day would get one for each sweep.
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
                and    not exists (
                    select 1
                    from   ml.outbox o
                    where  o.run_id = r.id
                    and    o.status = 'pending'
                    and    o.topic = case when r.state in ('requested', 'exporting') then 'export-requested'
                                          when r.state = 'evaluating' then 'tuning-started'
                                          else 'dataset-exported' end)
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

    /// <summary>Runs that go on although the product has deleted their project or organization.</summary>
    /// <remarks>Not those that are being cancelled, and not those that rest with an operator.</remarks>
    public static async Task<IReadOnlyList<StrayRun>> ListStrayRunsAsync(
        this NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        var sql =
            $"""
            {Stray}
            order  by r.id
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
