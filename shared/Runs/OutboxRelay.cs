using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>Sends a message to a topic.</summary>
public interface IMessagePublisher
{
    /// <summary>
    /// Returns when the service has the message; throws when it may not have it. The message carries the trace of the present
    /// span.
    /// </summary>
    Task PublishAsync(string topic, string payload, CancellationToken cancellationToken);
}

/// <summary>
/// Publishes what the outbox holds: after a step's commit, and every five minutes what a crash left. A message may go out
/// twice and is never lost.
/// </summary>
public sealed class OutboxRelay(NpgsqlDataSource database, IMessagePublisher publisher, Failpoints failpoints)
{
    /// <summary>Sends up to <paramref name="limit"/> waiting messages.</summary>
    /// <returns>How many went out.</returns>
    /// <exception cref="AggregateException">Some did not go out; they wait for the next call, and the others are gone.</exception>
    public async Task<int> SendPendingAsync(int limit, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await SendPendingAsync(db, limit, cancellationToken);
    }

    /// <summary>The same for what a connection sees: one that is bound to organizations sends only their messages.</summary>
    /// <exception cref="AggregateException">Some did not go out; they wait for the next call, and the others are gone.</exception>
    public async Task<int> SendPendingAsync(NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var sent = new List<long>();
        var failures = new List<Exception>();
        foreach (var message in await db.LockPendingAsync(limit, cancellationToken))
        {
            using var activity = PipelineTraces.StartSending(message.Topic, message.TraceParent);

            // One topic that is missing must not hold up the others.
            try
            {
                await publisher.PublishAsync(message.Topic, message.Payload, cancellationToken);
                sent.Add(message.Id);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                activity.SetFailure(e);
                failures.Add(e);
            }

            await failpoints.ReachAsync(Failpoint.MessagePublished);
        }

        await db.MarkSentAsync([.. sent], cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return failures.Count == 0
            ? sent.Count
            : throw new AggregateException($"{failures.Count} messages wait in the outbox", failures);
    }
}
