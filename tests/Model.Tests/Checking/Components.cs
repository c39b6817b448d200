namespace FeedbackLoop.Model.Checking;

/// <summary>
/// Strongly connected components by Tarjan's algorithm, without recursion: ways are as long as the graph is deep.
/// </summary>
/// <param name="part">Edges count between states of the same part only.</param>
internal sealed class Components(EdgeList edges, int[] part, int states)
{
    private readonly int[] _order = new int[states];
    private readonly int[] _low = new int[states];
    private readonly bool[] _isOpen = new bool[states];
    private readonly Stack<int> _open = new();
    private readonly Stack<(int State, int Edge)> _way = new();
    private int _last;

    /// <param name="candidates">All states of one part.</param>
    public List<List<int>> Of(List<int> candidates)
    {
        foreach (var state in candidates)
        {
            _order[state] = 0;
        }

        var components = new List<List<int>>();
        foreach (var root in candidates)
        {
            if (_order[root] == 0)
            {
                Visit(root, components);
            }
        }

        return components;
    }

    private void Visit(int root, List<List<int>> components)
    {
        Enter(root);
        while (_way.TryPop(out var at))
        {
            var (state, edge) = at;
            if (edge < edges.EndOf(state))
            {
                _way.Push((state, edge + 1));
                var target = edges.TargetAt(edge);
                if (part[target] != part[state])
                {
                    continue;
                }

                if (_order[target] == 0)
                {
                    Enter(target);
                }
                else if (_isOpen[target])
                {
                    _low[state] = Math.Min(_low[state], _order[target]);
                }

                continue;
            }

            if (_way.TryPeek(out var parent))
            {
                _low[parent.State] = Math.Min(_low[parent.State], _low[state]);
            }

            if (_low[state] == _order[state])
            {
                components.Add(Close(state));
            }
        }
    }

    private void Enter(int state)
    {
        _order[state] = _low[state] = ++_last;
        _isOpen[state] = true;
        _open.Push(state);
        _way.Push((state, edges.FirstOf(state)));
    }

    private List<int> Close(int state)
    {
        var component = new List<int>();
        int closed;
        do
        {
            closed = _open.Pop();
            _isOpen[closed] = false;
            component.Add(closed);
        }
        while (closed != state);

        return component;
    }
}
