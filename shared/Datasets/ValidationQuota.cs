using FeedbackLoop.Examples;

namespace FeedbackLoop.Datasets;

/// <summary>An example on its way to its file.</summary>
/// <param name="Line">With the line break; of a writer's buffer, until its next line.</param>
/// <param name="ContentBytes">As <see cref="ExampleWriter.ContentBytes"/>.</param>
/// <param name="Contributor">As <see cref="Knowledge.SourceChunk.Contributor"/>; it goes into no file.</param>
public sealed record ExampleLine(
    TrainingExample Example, LeftOut LeftOut, ExampleOrigin Origin, ReadOnlyMemory<byte> Line, int ContentBytes,
    string? Contributor = null);

/// <summary>
/// Lets an example that validates through to its file while <see cref="ValidationLimits"/> hold, at each line and so at the
/// last one.
/// </summary>
/// <remarks>
/// Lines come in the order of a hash, so which of them are the surplus is chance, and the same data and seed choose the same.
/// One that does not fit yet waits for more lines that train, in a queue of bounded size; the first that fits goes first, so
/// that a long text does not keep back all that come after it.
/// </remarks>
/// <param name="maxExamples">Most examples that validate.</param>
/// <param name="waitingBytes">Most bytes of lines that wait.</param>
internal sealed class ValidationQuota(int maxExamples, int waitingBytes = ValidationQuota.WaitingBytes)
{
    /// <summary>With the texts they were made of, lines that wait take about four times that in memory.</summary>
    public const int WaitingBytes = 4 * 1024 * 1024;

    private readonly LinkedList<ExampleLine> _waiting = [];
    private readonly int _maxExamples = Math.Min(maxExamples, ValidationLimits.MaxExamples);
    private long _waitingBytes;
    private int _shortestWaiting = int.MaxValue;
    private (int Examples, long Bytes) _train;
    private (int Examples, long Bytes) _validation;
    private int _refused;

    /// <summary>Examples that validate and did not fit so far, those that still wait among them.</summary>
    public int Surplus => _refused + _waiting.Count;

    /// <returns>What is to be written now, in this order: the line itself, or others that fit because of it, or nothing.</returns>
    public IReadOnlyList<ExampleLine> Pass(ExampleLine line)
    {
        switch (line.Origin.Split)
        {
            case DocumentSplit.Train:
                _train = (_train.Examples + 1, _train.Bytes + line.Line.Length);
                return Fits(_shortestWaiting) ? [line, .. TakeFitting()] : [line];
            case DocumentSplit.Validation when Fits(line.Line.Length):
                Take(line);
                return [line];
            case DocumentSplit.Validation:
                Keep(line);
                return [];
            default:
                return [line];
        }
    }

    private void Keep(ExampleLine line)
    {
        if (_validation.Examples == _maxExamples || _waitingBytes + line.Line.Length > waitingBytes)
        {
            _refused++;
            return;
        }

        _waiting.AddLast(line with { Line = line.Line.ToArray() });
        _waitingBytes += line.Line.Length;
        _shortestWaiting = Math.Min(_shortestWaiting, line.Line.Length);
    }

    private List<ExampleLine> TakeFitting()
    {
        var taken = new List<ExampleLine>();
        _shortestWaiting = int.MaxValue;
        for (var node = _waiting.First; node is not null;)
        {
            var (line, next) = (node.Value, node.Next);
            if (Fits(line.Line.Length))
            {
                _waiting.Remove(node);
                _waitingBytes -= line.Line.Length;
                Take(line);
                taken.Add(line);
            }
            else
            {
                _shortestWaiting = Math.Min(_shortestWaiting, line.Line.Length);
            }

            node = next;
        }

        return taken;
    }

    private void Take(ExampleLine line) =>
        _validation = (_validation.Examples + 1, _validation.Bytes + line.Line.Length);

    private bool Fits(int bytes) =>
        _validation.Examples < _maxExamples
        && ValidationLimits.Check(
            _train.Examples, _train.Bytes, _validation.Examples + 1, _validation.Bytes + bytes) is null;
}
