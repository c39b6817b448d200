namespace FeedbackLoop.Model.Checking;

/// <summary>
/// The edges of a graph, those of a state in one piece, in the order in which its states were expanded.
/// </summary>
internal sealed class EdgeList
{
    private readonly List<int> _starts = [0];
    private byte[] _actions = new byte[1 << 14];
    private int[] _targets = new int[1 << 14];

    public int Count { get; private set; }

    /// <summary>Adds an edge of the state that is being expanded.</summary>
    public void Add(byte action, int target)
    {
        if (Count == _targets.Length)
        {
            Array.Resize(ref _actions, 2 * Count);
            Array.Resize(ref _targets, 2 * Count);
        }

        (_actions[Count], _targets[Count]) = (action, target);
        Count++;
    }

    public void EndState() => _starts.Add(Count);

    public int FirstOf(int state) => _starts[state];

    public int EndOf(int state) => _starts[state + 1];

    public byte ActionAt(int edge) => _actions[edge];

    public int TargetAt(int edge) => _targets[edge];

    public IEnumerable<(byte Action, int Target)> Of(int state)
    {
        for (var edge = FirstOf(state); edge < EndOf(state); edge++)
        {
            yield return (_actions[edge], _targets[edge]);
        }
    }

    public byte ActionBetween(int from, int to)
    {
        for (var edge = FirstOf(from); edge < EndOf(from); edge++)
        {
            if (_targets[edge] == to)
            {
                return _actions[edge];
            }
        }

        throw new ArgumentException($"no edge leads from {from} to {to}");
    }
}
