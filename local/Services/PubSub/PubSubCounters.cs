namespace FeedbackLoop.Local.PubSub;

/// <summary>What has happened since the start.</summary>
/// <param name="Published">Messages accepted, dead-lettered ones included.</param>
/// <param name="Pushes">Push requests sent.</param>
/// <param name="Acknowledged">Messages that a subscription is done with.</param>
/// <param name="Redeliveries">Deliveries that were put off because nobody acknowledged the one before.</param>
/// <param name="TimedOut">Push requests without an answer within the acknowledgement deadline.</param>
/// <param name="Lost">Messages forgotten by a fault.</param>
public sealed record PubSubCounters(
    long Published, long Pushes, long Acknowledged, long Redeliveries, long TimedOut, long DeadLettered, long Lost);

internal sealed class PubSubTally
{
    private long _published, _pushes, _acknowledged, _redeliveries, _timedOut, _deadLettered, _lost;

    public void Published() => Interlocked.Increment(ref _published);

    public void Pushed() => Interlocked.Increment(ref _pushes);

    public void Acknowledged() => Interlocked.Increment(ref _acknowledged);

    public void Redelivered() => Interlocked.Increment(ref _redeliveries);

    public void TimedOut() => Interlocked.Increment(ref _timedOut);

    public void DeadLettered() => Interlocked.Increment(ref _deadLettered);

    public void Lost() => Interlocked.Increment(ref _lost);

    public PubSubCounters Read() => new(
        Interlocked.Read(ref _published), Interlocked.Read(ref _pushes), Interlocked.Read(ref _acknowledged),
        Interlocked.Read(ref _redeliveries), Interlocked.Read(ref _timedOut), Interlocked.Read(ref _deadLettered),
        Interlocked.Read(ref _lost));
}
