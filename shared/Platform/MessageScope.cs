using System.Collections;

namespace FeedbackLoop.Platform;

/// <summary>What every log line of a delivery says about its message; as text too, for loggers that print scopes.</summary>
/// <param name="runId">Null when the message is about no run.</param>
internal sealed class MessageScope(string topic, string messageId, string? runId)
    : IReadOnlyList<KeyValuePair<string, object?>>
{
    private readonly KeyValuePair<string, object?>[] _pairs = runId is null
        ? [new("Topic", topic), new("MessageId", messageId)]
        : [new("Topic", topic), new("MessageId", messageId), new("RunId", runId)];

    public int Count => _pairs.Length;

    public KeyValuePair<string, object?> this[int index] => _pairs[index];

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _pairs.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join(", ", _pairs.Select(pair => $"{pair.Key} {pair.Value}"));
}
