using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>Sends a message to a topic.</summary>
public interface IMessagePublisher
{
    /// <summary>Returns when the service has the message; throws when it may not have it.</summary>
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
    public async Task<int> SendPendingAsync(int limit, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var messages = await db.LockPendingAsync(limit, cancellationToken);
        foreach (var message in messages)
        {
            await publisher.PublishAsync(message.Topic, message.Payload, cancellationToken);
            await failpoints.ReachAsync(Failpoint.MessagePublished);
        }

        await db.MarkSentAsync([.. messages.Select(m => m.Id)], cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return messages.Count;
    }
}
