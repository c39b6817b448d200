using System.Collections.Concurrent;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Testing;

/// <summary>A message that went out.</summary>
public sealed record PublishedMessage(string Topic, string Payload);

/// <summary>Keeps what is published, in order.</summary>
public sealed class RecordingPublisher : IMessagePublisher
{
    private readonly ConcurrentQueue<PublishedMessage> _messages = new();
    private int _failures;

    public IReadOnlyList<PublishedMessage> Messages => [.. _messages];

    public IReadOnlyList<string> Topics => [.. _messages.Select(message => message.Topic)];

    /// <summary>So many of the next calls throw, and publish nothing.</summary>
    public void FailNext(int times) => Interlocked.Exchange(ref _failures, times);

    public Task PublishAsync(string topic, string payload, CancellationToken cancellationToken)
    {
        if (Interlocked.Decrement(ref _failures) >= 0)
        {
            throw new IOException("Pub/Sub does not answer");
        }

        _messages.Enqueue(new PublishedMessage(topic, payload));
        return Task.CompletedTask;
    }
}
