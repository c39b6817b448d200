using FeedbackLoop.Examples;

namespace FeedbackLoop.Datasets;

/// <summary>
/// Lets a text with nothing to find through to its file while such texts keep their share, at each line and so at the last one.
/// </summary>
/// <remarks>
/// <see cref="EmptyTexts"/> has chosen them by a count that does not know which examples their texts leave out; where many are
/// left out, the last of the chosen ones do not fit. One that does not fit yet waits for more examples, in a queue of bounded
/// size. What is held out passes.
/// </remarks>
/// <param name="maxShare">See <see cref="Runs.ExportCriteria.MaxEmptyShare"/>.</param>
/// <param name="waitingBytes">Most bytes of lines that wait.</param>
internal sealed class EmptyQuota(double maxShare, int waitingBytes = EmptyQuota.WaitingBytes)
{
    public const int WaitingBytes = 1024 * 1024;

    private readonly Queue<ExampleLine> _waiting = [];
    private long _waitingBytes;
    private long _withContent;
    private long _passed;
    private int _refused;

    /// <summary>Texts that did not fit so far, those that still wait among them.</summary>
    public int Surplus => _refused + _waiting.Count;

    /// <returns>Whether the line goes on now; if not, it waits or is surplus.</returns>
    public bool Passes(ExampleLine line)
    {
        if (!line.Example.IsEmpty || line.Origin.Split == DocumentSplit.Test)
        {
            return true;
        }

        if (Fits())
        {
            _passed++;
            return true;
        }

        if (_waitingBytes + line.Line.Length > waitingBytes)
        {
            _refused++;
            return false;
        }

        _waiting.Enqueue(line with { Line = line.Line.ToArray() });
        _waitingBytes += line.Line.Length;
        return false;
    }

    /// <summary>Counts a line that stands in its file now.</summary>
    /// <returns>The line that waits longest, if it fits because of this one; null: none does.</returns>
    public ExampleLine? Written(ExampleLine line)
    {
        if (!line.Example.IsEmpty && line.Origin.Split != DocumentSplit.Test)
        {
            _withContent++;
        }

        if (_waiting.Count == 0 || !Fits())
        {
            return null;
        }

        _passed++;
        var next = _waiting.Dequeue();
        _waitingBytes -= next.Line.Length;
        return next;
    }

    private bool Fits() => _passed < EmptyShare.Limit(_withContent, maxShare);
}
