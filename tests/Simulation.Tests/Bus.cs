using FeedbackLoop.Runs;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>Pub/Sub in memory: what was published waits until the play delivers it, in any order, once or more.</summary>
/// <param name="missing">A topic that does not exist; null: each does.</param>
internal sealed class Bus(Random random, string? missing) : IMessagePublisher
{
    public List<(string Topic, string Payload)> Waiting { get; } = [];

    public bool IsCalm { get; set; }

    public async Task PublishAsync(string topic, string payload, CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (topic == missing || (!IsCalm && random.Next(20) == 0))
        {
            throw new IOException($"{topic} does not answer");
        }

        Waiting.Add((topic, payload));
        await Task.Yield();
    }

    /// <summary>Takes the message at a place; unless the service is calm it may stay there for another delivery, or be lost.</summary>
    public (string Topic, string Payload)? Take(int place)
    {
        var message = Waiting[place];
        var chance = IsCalm ? 100 : random.Next(100);
        if (chance >= 25)
        {
            Waiting.RemoveAt(place);
        }

        return chance is >= 25 and < 30 ? null : message;
    }
}
