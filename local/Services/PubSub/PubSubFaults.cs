using FeedbackLoop.Local.Hosting;

namespace FeedbackLoop.Local.PubSub;

/// <summary>
/// What the stand-in does wrong. Everything may be changed while it runs; nothing is wrong by default.
/// </summary>
public sealed class PubSubFaults
{
    private readonly CallCount _refused = new();
    private readonly CallCount _lostResponses = new();
    private readonly Lock _lock = new();
    private Random? _shuffle;
    private Random _loss = new(0);
    private double _lostShare;

    /// <summary>
    /// Copies of a message that are pushed at the same time. The message is done when one is acknowledged.
    /// </summary>
    public int ConcurrentDeliveries { get; set; } = 1;

    /// <summary>
    /// Further deliveries after the acknowledgement, one after the other. Their answers do not matter.
    /// </summary>
    public int LateDeliveries { get; set; }

    /// <summary>Wait before each late delivery.</summary>
    public TimeSpan LateBy { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Longest time that <see cref="Shuffle"/> holds a message back.</summary>
    public TimeSpan ShuffleWindow { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Holds every message back for a random part of <see cref="ShuffleWindow"/>.</summary>
    /// <param name="seed">
    /// The same seed and messages give the same order; null goes back to the order of arrival.
    /// </param>
    public void Shuffle(int? seed)
    {
        lock (_lock)
        {
            _shuffle = seed is { } value ? new Random(value) : null;
        }
    }

    /// <summary>Accepts messages and forgets some of them for ever.</summary>
    /// <param name="share">0 none, 1 all.</param>
    public void Lose(double share, int seed)
    {
        lock (_lock)
        {
            _lostShare = share;
            _loss = new Random(seed);
        }
    }

    /// <summary>The next calls of Publish answer UNAVAILABLE and accept nothing.</summary>
    public void RefusePublish(int calls) => _refused.Set(calls);

    /// <summary>The next calls of Publish accept the messages, but the caller sees a broken connection.</summary>
    public void LosePublishResponse(int calls) => _lostResponses.Set(calls);

    internal bool TakeRefusedPublish() => _refused.Take();

    internal bool TakeLostPublishResponse() => _lostResponses.Take();

    internal TimeSpan NextHold()
    {
        lock (_lock)
        {
            return _shuffle is null ? TimeSpan.Zero : ShuffleWindow * _shuffle.NextDouble();
        }
    }

    internal bool NextIsLost()
    {
        lock (_lock)
        {
            return _lostShare > 0 && _loss.NextDouble() < _lostShare;
        }
    }
}
