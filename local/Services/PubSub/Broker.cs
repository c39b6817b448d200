using Google.Cloud.PubSub.V1;
using Google.Protobuf.WellKnownTypes;

namespace FeedbackLoop.Local.PubSub;

/// <summary>Topics, subscriptions, and the way of a message from the one to the other.</summary>
internal sealed class Broker(PubSubOptions options, PubSubFaults faults, PubSubTally tally) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Topic> _topics = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, PushQueue> _queues = new(StringComparer.Ordinal);
    private readonly List<DeadLetter> _deadLetters = [];
    private readonly PushClient _client = new(options, tally);
    private readonly Outstanding _outstanding = new();
    private long _lastMessageId;

    public IReadOnlyList<DeadLetter> DeadLetters
    {
        get
        {
            lock (_lock)
            {
                return [.. _deadLetters];
            }
        }
    }

    public int InFlight
    {
        get
        {
            lock (_lock)
            {
                return _queues.Values.Sum(queue => queue.InFlight);
            }
        }
    }

    public Task WaitUntilIdleAsync(CancellationToken cancellationToken) =>
        _outstanding.WaitUntilNoneAsync(cancellationToken);

    public Topic AddTopic(Topic topic)
    {
        PubSubRules.CheckTopic(topic);
        lock (_lock)
        {
            return _topics.TryAdd(topic.Name, topic.Clone()) ? topic : throw PubSubErrors.AlreadyExists(topic.Name);
        }
    }

    public Topic GetTopic(string name)
    {
        lock (_lock)
        {
            return _topics.GetValueOrDefault(name) ?? throw PubSubErrors.NotFound(name);
        }
    }

    public IReadOnlyList<Topic> ListTopics(string project)
    {
        lock (_lock)
        {
            return [.. _topics.Values.Where(topic => IsIn(project, topic.Name))];
        }
    }

    public void RemoveTopic(string name)
    {
        lock (_lock)
        {
            if (!_topics.Remove(name))
            {
                throw PubSubErrors.NotFound(name);
            }

            foreach (var queue in _queues.Values.Where(queue => queue.Subscription.Topic == name))
            {
                var orphan = queue.Subscription.Clone();
                orphan.Topic = "_deleted-topic_";
                queue.Update(orphan);
            }
        }
    }

    public IReadOnlyList<string> Publish(PublishRequest request)
    {
        PubSubRules.CheckPublish(request);
        lock (_lock)
        {
            _ = GetTopic(request.Topic);
            return [.. request.Messages.Select(message => Accept(request.Topic, message))];
        }
    }

    public Subscription AddSubscription(Subscription subscription)
    {
        var complete = Complete(subscription);
        lock (_lock)
        {
            CheckTopics(complete);
            if (_queues.ContainsKey(complete.Name))
            {
                throw PubSubErrors.AlreadyExists(complete.Name);
            }

            _queues.Add(
                complete.Name, new PushQueue(complete, options, faults, tally, _client, _outstanding, GiveUp));
            return complete;
        }
    }

    public Subscription GetSubscription(string name)
    {
        lock (_lock)
        {
            return _queues.GetValueOrDefault(name)?.Subscription ?? throw PubSubErrors.NotFound(name);
        }
    }

    public IReadOnlyList<Subscription> ListSubscriptions(string project)
    {
        lock (_lock)
        {
            return [.. _queues.Values.Select(queue => queue.Subscription).Where(each => IsIn(project, each.Name))];
        }
    }

    public Subscription UpdateSubscription(string name, Func<Subscription, Subscription> change)
    {
        lock (_lock)
        {
            var queue = _queues.GetValueOrDefault(name) ?? throw PubSubErrors.NotFound(name);
            var complete = Complete(change(queue.Subscription.Clone()));
            CheckTopics(complete);
            queue.Update(complete);
            return complete;
        }
    }

    public async Task RemoveSubscriptionAsync(string name)
    {
        PushQueue? queue;
        lock (_lock)
        {
            if (!_queues.Remove(name, out queue))
            {
                throw PubSubErrors.NotFound(name);
            }
        }

        await queue.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        PushQueue[] queues;
        lock (_lock)
        {
            queues = [.. _queues.Values];
            _queues.Clear();
        }

        await Task.WhenAll(queues.Select(queue => queue.DisposeAsync().AsTask()));
        _client.Dispose();
    }

    private static bool IsIn(string project, string name) =>
        name.StartsWith(project + "/", StringComparison.Ordinal);

    private Subscription Complete(Subscription subscription) =>
        subscription.PushConfig?.OidcToken is not null && options.SignPush is null
            ? throw PubSubErrors.NotHere("issuer of push tokens")
            : PubSubRules.Complete(subscription);

    private void CheckTopics(Subscription subscription)
    {
        _ = GetTopic(subscription.Topic);
        if (subscription.DeadLetterPolicy is { } policy)
        {
            _ = GetTopic(policy.DeadLetterTopic);
        }
    }

    private string Accept(string topic, PubsubMessage message)
    {
        // From the clock, so that a restart does not hand out the same ids again.
        var now = options.Time.GetUtcNow();
        _lastMessageId = Math.Max(_lastMessageId + 1, now.ToUnixTimeMilliseconds() * 1000);

        var accepted = message.Clone();
        accepted.MessageId = _lastMessageId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        accepted.PublishTime = Timestamp.FromDateTimeOffset(now);
        tally.Published();
        foreach (var queue in _queues.Values.Where(queue => queue.Subscription.Topic == topic))
        {
            if (faults.NextIsLost())
            {
                tally.Lost();
                continue;
            }

            queue.Add(accepted, faults.NextHold());
        }

        return accepted.MessageId;
    }

    private bool GiveUp(PubsubMessage message, Subscription subscription, int attempts)
    {
        var topic = subscription.DeadLetterPolicy.DeadLetterTopic;
        var letter = DeadLetter.Readdress(message, subscription.Name, attempts);
        lock (_lock)
        {
            if (!_topics.ContainsKey(topic))
            {
                return false;
            }

            letter.MessageId = Accept(topic, letter);
            letter.PublishTime = Timestamp.FromDateTimeOffset(options.Time.GetUtcNow());
            _deadLetters.Add(new DeadLetter(subscription.Name, topic, letter));
            tally.DeadLettered();
            return true;
        }
    }
}
