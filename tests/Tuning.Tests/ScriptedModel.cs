using System.Collections.Concurrent;
using FeedbackLoop.Extraction;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>Models that answer as a test says, and what they were asked.</summary>
/// <param name="answer">By endpoint (null: the base model) and text of the chunk.</param>
internal sealed class ScriptedModel(Func<string?, string, string> answer) : IExtractionModel
{
    private readonly ConcurrentQueue<(string? Endpoint, string Text)> _asked = new();
    private int _now;
    private int _most;

    public IReadOnlyList<(string? Endpoint, string Text)> Asked => [.. _asked];

    /// <summary>Most calls at once.</summary>
    public int Most => _most;

    /// <summary>Awaited within each call, with its token.</summary>
    public Func<CancellationToken, Task> Delay { get; set; } = _ => Task.CompletedTask;

    public async Task<ExtractionAnswer> GenerateAsync(
        string baseModel, string? endpoint, string systemText, string userText, CancellationToken cancellationToken)
    {
        var now = Interlocked.Increment(ref _now);
        InterlockedMax(now);
        try
        {
            await Delay(cancellationToken);
            var text = ExtractionPrompt.TextOf(userText)!; // as the export writes it
            _asked.Enqueue((endpoint, text));
            return new(answer(endpoint, text), "Stop", 1_000, 100, TimeSpan.FromMilliseconds(20), baseModel);
        }
        finally
        {
            Interlocked.Decrement(ref _now);
        }
    }

    private void InterlockedMax(int value)
    {
        for (var most = _most; value > most; most = _most)
        {
            Interlocked.CompareExchange(ref _most, value, most);
        }
    }
}
