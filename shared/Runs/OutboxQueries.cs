using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>A message that a relay has taken.</summary>
/// <param name="TraceParent">The trace that it belongs to; null for a row from before there was one.</param>
/// <param name="Attempts">How often it was taken, this time included: a later relay's claim has another number.</param>
public sealed record OutboxMessage(long Id, string Topic, string Payload, string? TraceParent, int Attempts);

/// <summary>A message that did not go out, or may not have.</summary>
public sealed record UnsentMessage(OutboxMessage Message, TimeSpan Delay, string Error);

/// <summary>What waits in the outbox for a topic.</summary>
/// <param name="MostAttempts">Of any of these messages.</param>
/// <param name="LastError">Of one of them; null when none has failed.</param>
public sealed record OutboxBacklog(string Topic, int Waiting, TimeSpan OldestAge, int MostAttempts, string? LastError);

/// <summary>Every statement that touches <c>ml.outbox</c>.</summary>
public static class OutboxQueries
{
    /// <summary>
    /// Adds a message about a run in the transaction that changes it. The key is run, topic and the run's present epoch: a
    /// repeat of the same claim adds nothing. The message belongs to the run's trace, also when somebody outside it, such as
    /// the sweep or whoever cancels, adds it.
    /// </summary>
    /// <param name="occasion">In the place of the epoch, for what happens to a run that is over.</param>
    public static Task AddMessageAsync<T>(
        this NpgsqlConnection db, RunId runId, string topic, T message, JsonTypeInfo<T> type,
        CancellationToken cancellationToken, string? occasion = null)
    {
        const string sql =
            """
            insert into ml.outbox (organization_id, run_id, topic, payload, dedup_key, trace_parent, created_at)
            select r.organization_id, r.id, @topic, @payload, r.id || ':' || @topic || ':' || coalesce(@occasion, r.epoch::text),
                   case when substr(r.trace_parent, 4, 32) <> substr(@traceParent, 4, 32) then r.trace_parent
                        else coalesce(@traceParent, r.trace_parent) end,
                   clock_timestamp()
            from   ml.training_runs r
            where  r.id = @runId
            on     conflict (dedup_key) do nothing
            """;

        var args = new
        {
            runId,
            topic,
            payload = JsonSerializer.Serialize(message, type),
            traceParent = PipelineTraces.Current,
            occasion,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>The first message of each of these runs, in the transaction that adds them.</summary>
    public static Task AddExportRequestsAsync(
        this NpgsqlConnection db, IReadOnlyList<ScheduledRun> runs, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.outbox (organization_id, run_id, topic, payload, dedup_key, trace_parent, created_at)
            select r.organization_id, r.id, @topic, w.payload, r.id || ':' || @topic || ':' || r.epoch, r.trace_parent,
                   clock_timestamp()
            from   unnest(@ids, @payloads) as w (id, payload)
            join   ml.training_runs r on r.id = w.id
            on     conflict (dedup_key) do nothing
            """;

        var args = new
        {
            ids = runs.Select(run => run.Id.Value).ToArray(),
            payloads = runs
                .Select(run => JsonSerializer.Serialize(
                    new ExportRequested(run.Id), MessageJson.Default.ExportRequested))
                .ToArray(),
            topic = Topics.ExportRequested,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>
    /// Takes up to <paramref name="limit"/> due messages for <paramref name="lease"/>: topic by topic in turn, and
    /// within a topic organization by organization, the longest due first. By status and not by "id above the last one
    /// seen": ids become visible out of order.
    /// </summary>
    /// <param name="without">Topics that are passed over.</param>
    /// <returns>Each of them only to this caller, unless the lease passes before it is settled; by id.</returns>
    public static async Task<IReadOnlyList<OutboxMessage>> ClaimPendingAsync(
        this NpgsqlConnection db, int limit, string[] without, TimeSpan lease, CancellationToken cancellationToken)
    {
        var messages = await db.QueryAsync<OutboxMessage>(Sql.Command(
            ClaimPending, new { limit, without, lease }, cancellationToken));
        return [.. messages.OrderBy(message => message.Id)];
    }

    // Whose messages wait, and for what, is found by leaping through the index: one look for each organization and
    // topic, however many messages there are and were. The time is a sub-select, because an index is not searched by a
    // function whose value changes from row to row.
    internal const string ClaimPending =
        """
        with recursive waiting as (
            (select organization_id, topic
             from   ml.outbox
             where  status = 'pending'
             order  by organization_id, topic
             limit  1)
            union all
            select next.organization_id, next.topic
            from   waiting w
            cross  join lateral (
                select o.organization_id, o.topic
                from   ml.outbox o
                where  o.status = 'pending'
                and    (o.organization_id, o.topic) > (w.organization_id, w.topic)
                order  by o.organization_id, o.topic
                limit  1) next
        ), due as (
            select d.id, d.next_attempt_at, w.topic,
                   row_number() over (partition by w.organization_id, w.topic order by d.next_attempt_at, d.id) as turn
            from   waiting w
            cross  join lateral (
                select o.id, o.next_attempt_at
                from   ml.outbox o
                where  o.status = 'pending'
                and    o.organization_id = w.organization_id
                and    o.topic = w.topic
                and    o.next_attempt_at <= (select clock_timestamp())
                order  by o.next_attempt_at, o.id
                limit  @limit) d
            where  w.topic <> all (@without)
        ), chosen as (
            select id
            from   (select id, next_attempt_at,
                           row_number() over (partition by topic order by turn, next_attempt_at, id) as turn
                    from   due) by_topic
            order  by turn, next_attempt_at, id
            limit  @limit
        ), taken as (
            select o.id
            from   ml.outbox o
            where  o.id in (select id from chosen)
            and    o.status = 'pending'
            and    o.next_attempt_at <= clock_timestamp()
            for    update skip locked
        )
        update ml.outbox o
        set    attempts        = o.attempts + 1,
               next_attempt_at = clock_timestamp() + @lease
        from   taken
        where  o.id = taken.id
        returning o.id, o.topic, o.payload, o.trace_parent, o.attempts
        """;

    public static Task MarkSentAsync(this NpgsqlConnection db, long[] ids, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.outbox
            set    status  = 'sent',
                   sent_at = clock_timestamp()
            where  id = any(@ids)
            and    status = 'pending'
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { ids }, cancellationToken));
    }

    /// <summary>
    /// Messages that are to be tried again later; one that another relay has taken since then is left to it.
    /// </summary>
    public static Task MarkUnsentAsync(
        this NpgsqlConnection db, IReadOnlyCollection<UnsentMessage> unsent, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.outbox o
            set    next_attempt_at = clock_timestamp() + u.delay,
                   last_error      = left(u.error, 1000)
            from   unnest(@ids, @attempts, @delays, @errors) as u (id, attempts, delay, error)
            where  o.id = u.id
            and    o.attempts = u.attempts
            and    o.status = 'pending'
            """;

        var args = new
        {
            ids = unsent.Select(each => each.Message.Id).ToArray(),
            attempts = unsent.Select(each => each.Message.Attempts).ToArray(),
            delays = unsent.Select(each => each.Delay).ToArray(),
            errors = unsent.Select(each => each.Error).ToArray(),
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Gives back what was taken and not tried, as if it had not been taken.</summary>
    public static Task GiveBackAsync(
        this NpgsqlConnection db, IReadOnlyCollection<OutboxMessage> untried, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.outbox o
            set    next_attempt_at = clock_timestamp(),
                   attempts        = o.attempts - 1
            from   unnest(@ids, @attempts) as u (id, attempts)
            where  o.id = u.id
            and    o.attempts = u.attempts
            and    o.status = 'pending'
            """;

        var args = new
        {
            ids = untried.Select(message => message.Id).ToArray(),
            attempts = untried.Select(message => message.Attempts).ToArray(),
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <returns>A line for each topic that something waits for.</returns>
    public static async Task<IReadOnlyList<OutboxBacklog>> ReadBacklogAsync(
        this NpgsqlConnection db, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select topic, count(*)::int as waiting, clock_timestamp() - min(created_at) as oldest_age,
                   max(attempts) as most_attempts, max(last_error) as last_error
            from   ml.outbox
            where  status = 'pending'
            group  by topic
            order  by topic
            """;

        return (await db.QueryAsync<OutboxBacklog>(Sql.Command(sql, args: null, cancellationToken))).AsList();
    }

    /// <summary>Deletes messages that were sent longer ago than <paramref name="age"/>, the oldest first.</summary>
    /// <returns>How many.</returns>
    public static Task<int> DeleteSentAsync(
        this NpgsqlConnection db, TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            delete from ml.outbox
            where  id in (
                select id
                from   ml.outbox
                where  status = 'sent'
                and    sent_at < (select clock_timestamp()) - @age
                order  by sent_at
                limit  @limit
                for    update skip locked)
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { age, limit }, cancellationToken));
    }
}
