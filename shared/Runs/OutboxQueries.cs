using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>A message that waits for the relay.</summary>
/// <param name="TraceParent">The trace that it belongs to; null for a row from before there was one.</param>
public sealed record OutboxMessage(long Id, string Topic, string Payload, string? TraceParent);

/// <summary>What waits in the outbox.</summary>
/// <param name="OldestAge">Zero when nothing does.</param>
public sealed record OutboxBacklog(int Waiting, TimeSpan OldestAge);

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
    /// Locks up to <paramref name="limit"/> waiting messages that no other relay holds, oldest first. By status and not by
    /// "id above the last one seen": ids become visible out of order.
    /// </summary>
    public static async Task<IReadOnlyList<OutboxMessage>> LockPendingAsync(
        this NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, topic, payload, trace_parent
            from   ml.outbox
            where  status = 'pending'
            order  by id
            limit  @limit
            for    update skip locked
            """;

        return (await db.QueryAsync<OutboxMessage>(Sql.Command(sql, new { limit }, cancellationToken))).AsList();
    }

    public static Task<OutboxBacklog> ReadBacklogAsync(this NpgsqlConnection db, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select count(*)::int as waiting, coalesce(clock_timestamp() - min(created_at), interval '0') as oldest_age
            from   ml.outbox
            where  status = 'pending'
            """;

        return db.QuerySingleAsync<OutboxBacklog>(Sql.Command(sql, args: null, cancellationToken));
    }

    public static Task MarkSentAsync(this NpgsqlConnection db, long[] ids, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.outbox
            set    status  = 'sent',
                   sent_at = clock_timestamp()
            where  id = any(@ids)
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { ids }, cancellationToken));
    }
}
