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
/// Publishes what the outbox holds: after a step's commit, and every five minutes what a crash left. A message is never
/// lost, and goes out twice only when a relay has died, or was not answered, after the service had it.
/// </summary>
/// <remarks>
/// No transaction is open while it publishes. Each topic has its own turn at the same time as the others, and its first
/// failure ends the turn: a topic that is missing or hangs costs one deadline, and the messages of the others have gone
/// out.
/// </remarks>
public sealed class OutboxRelay(
    NpgsqlDataSource database, IMessagePublisher publisher, Failpoints failpoints, TimeProvider time)
{
    /// <summary>Of one message.</summary>
    public static readonly TimeSpan PublishDeadline = TimeSpan.FromSeconds(10);

    /// <summary>How long a call goes on taking messages, if nothing else is said.</summary>
    public static readonly TimeSpan UsualBudget = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After this a message is due again that nobody has settled. Longer than a call can take: its budget, and a minute
    /// for what it writes down.
    /// </summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(10);

    // What is taken at once, so that others have something to take as well.
    private const int BatchSize = 100;

    /// <summary>Sends up to <paramref name="limit"/> waiting messages.</summary>
    /// <returns>How many went out.</returns>
    /// <exception cref="AggregateException">Some did not go out; they wait for a later call, and the others are
    /// gone.</exception>
    public async Task<int> SendPendingAsync(int limit, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await SendPendingAsync(db, limit, UsualBudget, cancellationToken);
    }

    /// <summary>The same for what a connection sees: one that is bound to organizations sends only their messages.</summary>
    /// <param name="budget">At most <see cref="UsualBudget"/>.</param>
    /// <exception cref="AggregateException">Some did not go out; they wait for a later call, and the others are
    /// gone.</exception>
    public async Task<int> SendPendingAsync(
        NpgsqlConnection db, int limit, TimeSpan budget, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var (sent, tried) = (0, 0);
        var failures = new Dictionary<string, Exception>();
        while (tried < limit && time.GetElapsedTime(start) < budget)
        {
            var messages = await db.ClaimPendingAsync(
                Math.Min(limit - tried, BatchSize), [.. failures.Keys], Lease, cancellationToken);
            if (messages.Count == 0)
            {
                break;
            }

            var turns = await Task.WhenAll(messages
                .GroupBy(message => message.Topic)
                .Select(topic => SendAsync([.. topic], () => budget - time.GetElapsedTime(start), cancellationToken)));

            // Whatever becomes of the request: what went out is not to go out again.
            await SettleAsync(db, turns, CancellationToken.None);
            cancellationToken.ThrowIfCancellationRequested();
            sent += turns.Sum(turn => turn.Sent.Count);
            tried += turns.Sum(turn => turn.Sent.Count + (turn.Unsent is null ? 0 : 1));
            foreach (var turn in turns.Where(turn => turn.Failure is not null))
            {
                failures[turn.Unsent!.Message.Topic] = turn.Failure!; // they come together
            }
        }

        return failures.Count == 0
            ? sent
            : throw new AggregateException(
                $"messages wait in the outbox for {string.Join(", ", failures.Keys.Order(StringComparer.Ordinal))}",
                failures.Values);
    }

    /// <summary>How long a message waits that did not go out.</summary>
    /// <param name="attempts">How often it was tried.</param>
    public static TimeSpan DelayAfter(int attempts)
    {
        var doublings = Math.Clamp(attempts - 1, 0, 10);
        return TimeSpan.FromTicks(Math.Min(LongestDelay.Ticks, FirstDelay.Ticks << doublings));
    }

    /// <param name="messages">Of one topic.</param>
    /// <param name="timeLeft">Of the call.</param>
    private async Task<Turn> SendAsync(
        IReadOnlyList<OutboxMessage> messages, Func<TimeSpan> timeLeft, CancellationToken cancellationToken)
    {
        var turn = new Turn();
        foreach (var message in messages)
        {
            var left = timeLeft();
            if (turn.Failure is not null || left <= TimeSpan.Zero || cancellationToken.IsCancellationRequested)
            {
                turn.Untried.Add(message);
                continue;
            }

            using var activity = PipelineTraces.StartSending(message.Topic, message.TraceParent);
            try
            {
                await PublishAsync(message, left < PublishDeadline ? left : PublishDeadline, cancellationToken);
                turn.Sent.Add(message.Id);
            }
            catch (Exception e)
            {
                activity.SetFailure(e);
                turn.Failure = e;
                turn.Unsent = new UnsentMessage(message, DelayAfter(message.Attempts), e.Message);
            }

            await failpoints.ReachAsync(Failpoint.MessagePublished);
        }

        return turn;
    }

    private async Task PublishAsync(OutboxMessage message, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            // Not only by its token: a publisher that does not listen costs no more than one that does.
            await publisher.PublishAsync(message.Topic, message.Payload, either.Token).WaitAsync(either.Token);
        }
        catch (Exception e) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"the topic {message.Topic} did not answer within {patience.TotalSeconds:0.#} seconds", e);
        }
    }

    private static async Task SettleAsync(NpgsqlConnection db, Turn[] turns, CancellationToken cancellationToken)
    {
        await db.MarkSentAsync([.. turns.SelectMany(turn => turn.Sent)], cancellationToken);
        if (turns.Select(turn => turn.Unsent).OfType<UnsentMessage>().ToList() is { Count: > 0 } unsent)
        {
            await db.MarkUnsentAsync(unsent, cancellationToken);
        }

        if (turns.SelectMany(turn => turn.Untried).ToList() is { Count: > 0 } untried)
        {
            await db.GiveBackAsync(untried, cancellationToken);
        }
    }

    /// <summary>What became of the messages of one topic.</summary>
    private sealed class Turn
    {
        public List<long> Sent { get; } = [];
        public UnsentMessage? Unsent { get; set; }
        public Exception? Failure { get; set; }
        public List<OutboxMessage> Untried { get; } = [];
    }
}
