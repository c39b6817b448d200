using System.Collections.Concurrent;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>Keeps what is published; each topic does what a test wants of it.</summary>
internal sealed class TopicPublisher : IMessagePublisher
{
    private readonly ConcurrentQueue<PublishedMessage> _sent = new();
    private readonly ConcurrentDictionary<string, Func<Task>> _topics = new();
    private readonly ConcurrentDictionary<string, int> _tries = new();

    public IReadOnlyList<PublishedMessage> Sent => [.. _sent];

    public int TriesOf(string topic) => _tries.GetValueOrDefault(topic);

    public int SentTo(string topic) => _sent.Count(message => message.Topic == topic);

    /// <summary>
    /// From now on a message to this topic is kept after <paramref name="before"/>, or not at all if it throws.
    /// </summary>
    public void On(string topic, Func<Task> before) => _topics[topic] = before;

    public void Miss(string topic) => On(topic, () => throw new IOException($"there is no topic {topic}"));

    /// <summary>Neither answers nor listens to anybody's token.</summary>
    /// <returns>Ends when the first message is on its way.</returns>
    public Task Hang(string topic)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        On(topic, () =>
        {
            reached.TrySetResult();
            return Task.Delay(Timeout.Infinite, CancellationToken.None);
        });
        return reached.Task;
    }

    public async Task PublishAsync(string topic, string payload, CancellationToken cancellationToken)
    {
        _tries.AddOrUpdate(topic, 1, (_, tries) => tries + 1);
        if (_topics.TryGetValue(topic, out var before))
        {
            await before();
        }

        _sent.Enqueue(new PublishedMessage(topic, payload));
    }
}
