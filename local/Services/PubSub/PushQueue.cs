using Google.Cloud.PubSub.V1;

namespace FeedbackLoop.Local.PubSub;

/// <summary>The messages of one subscription, from arrival to acknowledgement or dead letter.</summary>
internal sealed class PushQueue : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Delivery, (DateTimeOffset Due, long Arrival)> _waiting = new();
    private readonly HashSet<Task> _inFlight = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly ITimer _timer;
    private readonly PubSubOptions _options;
    private readonly PubSubFaults _faults;
    private readonly PubSubTally _tally;
    private readonly PushClient _client;
    private readonly Outstanding _outstanding;
    private readonly Func<PubsubMessage, Subscription, int, bool> _giveUp;
    private Subscription _subscription;
    private long _arrivals;
    private bool _stopped;

    /// <param name="giveUp">
    /// Moves a message to the dead-letter topic; false when there is no such topic any more.
    /// </param>
    public PushQueue(
        Subscription subscription, PubSubOptions options, PubSubFaults faults, PubSubTally tally, PushClient client,
        Outstanding outstanding, Func<PubsubMessage, Subscription, int, bool> giveUp)
    {
        (_subscription, _options, _faults, _tally) = (subscription, options, faults, tally);
        (_client, _outstanding, _giveUp) = (client, outstanding, giveUp);
        _timer = options.Time.CreateTimer(_ => Pump(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public Subscription Subscription
    {
        get
        {
            lock (_lock)
            {
                return _subscription;
            }
        }
    }

    public void Update(Subscription subscription)
    {
        lock (_lock)
        {
            var wasPush = IsPush;
            _subscription = subscription;
            _outstanding.Add(_waiting.Count * ((IsPush ? 1 : 0) - (wasPush ? 1 : 0)));
        }

        Pump();
    }

    public void Add(PubsubMessage message, TimeSpan hold)
    {
        lock (_lock)
        {
            if (_stopped)
            {
                return;
            }

            _outstanding.Add(IsPush ? 1 : 0);
            Enqueue(new Delivery(message, Attempt: 1, LateCopy: 0), hold);
        }

        Pump();
    }

    public async ValueTask DisposeAsync()
    {
        Task[] inFlight;
        lock (_lock)
        {
            _stopped = true;
            _outstanding.Add(IsPush ? -_waiting.Count : 0);
            _waiting.Clear();
            inFlight = [.. _inFlight];
        }

        await _stopping.CancelAsync();
        await Task.WhenAll(inFlight);
        await _timer.DisposeAsync();
        _stopping.Dispose();
    }

    public int InFlight
    {
        get
        {
            lock (_lock)
            {
                return _inFlight.Count;
            }
        }
    }

    private bool IsPush => _subscription.PushConfig is { PushEndpoint.Length: > 0 };

    private void Enqueue(Delivery delivery, TimeSpan delay) =>
        _waiting.Enqueue(delivery, (_options.Time.GetUtcNow() + delay, _arrivals++));

    /// <summary>Starts what is due as far as there is room, and sets the timer for the rest.</summary>
    private void Pump()
    {
        lock (_lock)
        {
            var now = _options.Time.GetUtcNow();
            while (!_stopped && IsPush && _inFlight.Count < _options.MaxConcurrentPushes
                && _waiting.TryPeek(out var delivery, out var when))
            {
                if (when.Due > now)
                {
                    // Rounded up: a timer that fires early by a fraction would only be set again.
                    _timer.Change(
                        TimeSpan.FromMilliseconds(Math.Ceiling((when.Due - now).TotalMilliseconds)),
                        Timeout.InfiniteTimeSpan);
                    return;
                }

                _waiting.Dequeue();

                // On another thread: sending must not begin under this lock.
                var push = Task.Run(() => DeliverAsync(delivery), CancellationToken.None);
                _inFlight.Add(push);
                _ = push.ContinueWith(Finish, TaskScheduler.Default);
            }
        }
    }

    private void Finish(Task push)
    {
        lock (_lock)
        {
            _inFlight.Remove(push);
        }

        Pump();
    }

    private async Task DeliverAsync(Delivery delivery)
    {
        var subscription = Subscription;
        try
        {
            var copies = delivery.LateCopy > 0 ? 1 : Math.Max(1, _faults.ConcurrentDeliveries);
            var answers = await Task.WhenAll(Enumerable.Range(0, copies).Select(_ => _client.IsAcknowledgedAsync(
                subscription, delivery.Message, delivery.Attempt, _stopping.Token)));
            Settle(delivery, subscription, answers.Contains(true));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            _outstanding.Add(-1);
        }
    }

    private void Settle(Delivery delivery, Subscription subscription, bool acknowledged)
    {
        if (acknowledged && delivery.LateCopy == 0)
        {
            _tally.Acknowledged();
        }

        if (acknowledged || delivery.LateCopy > 0)
        {
            if (delivery.LateCopy < _faults.LateDeliveries)
            {
                Again(delivery with { LateCopy = delivery.LateCopy + 1 }, _faults.LateBy);
                return;
            }

            _outstanding.Add(-1);
            return;
        }

        if (subscription.DeadLetterPolicy is { } policy && delivery.Attempt >= policy.MaxDeliveryAttempts
            && _giveUp(delivery.Message, subscription, delivery.Attempt))
        {
            _outstanding.Add(-1);
            return;
        }

        _tally.Redelivered();
        var delay = RetryDelay.After(delivery.Attempt, subscription.RetryPolicy, _options.ImmediateRetryDelay);
        Again(delivery with { Attempt = delivery.Attempt + 1 }, delay * _options.BackoffScale);
    }

    private void Again(Delivery delivery, TimeSpan delay)
    {
        lock (_lock)
        {
            if (_stopped || !IsPush)
            {
                // A pull subscription keeps the message but nobody waits for it.
                _outstanding.Add(-1);
            }

            if (!_stopped)
            {
                Enqueue(delivery, delay);
            }
        }
    }

    /// <param name="LateCopy">0 until the message is acknowledged; then the number of the unwanted copy.</param>
    private sealed record Delivery(PubsubMessage Message, int Attempt, int LateCopy);
}
