using System.Diagnostics;

namespace FeedbackLoop.Model.Checking;

/// <summary>
/// Every state that a model can come into, breadth first: the way to the first broken promise is a shortest one.
/// </summary>
internal sealed class Exploration<TState>
    where TState : unmanaged
{
    private readonly ITransitions<TState> _model;
    private readonly StateSet<TState> _states = new();
    private readonly List<int> _parents = [];

    private Exploration(ITransitions<TState> model) => _model = model;

    public int Count => _states.Count;

    /// <summary>Length of the longest of the shortest ways from the start.</summary>
    public int Depth { get; private set; }

    public TimeSpan Took { get; private set; }

    /// <summary>The promise that is broken, and the state in which it is; the search ends there.</summary>
    public (string Promise, int State)? Violation { get; private set; }

    public EdgeList Edges { get; } = new();

    public ref readonly TState this[int index] => ref _states[index];

    /// <exception cref="InvalidOperationException">There are more states than <paramref
    /// name="mostStates"/>.</exception>
    public static Exploration<TState> Of(
        ITransitions<TState> model, int mostStates, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var search = new Exploration<TState>(model);
        search.Run(mostStates, cancellationToken);
        search.Took = Stopwatch.GetElapsedTime(started);
        return search;
    }

    /// <summary>
    /// What happened on a shortest way from the start to a state, one line each, and the state at its end.
    /// </summary>
    public IReadOnlyList<string> WayTo(int state)
    {
        var states = PathTo(state);
        return
        [
            .. states.Zip(states.Skip(1), Edges.ActionBetween)
                .Select((action, index) => $"{index + 1}. {_model.NameOf(action)}"),
            $"then: {_model.Describe(_states[state])}",
        ];
    }

    /// <summary>The states of a shortest way from the start to a state, both ends included.</summary>
    public IReadOnlyList<int> PathTo(int state)
    {
        var states = new List<int>();
        for (var at = state; at >= 0; at = _parents[at])
        {
            states.Add(at);
        }

        states.Reverse();
        return states;
    }

    private void Run(int mostStates, CancellationToken cancellationToken)
    {
        var next = new List<(byte Action, TState State)>();
        _states.Add(_model.Start);
        _parents.Add(-1);
        var endOfLevel = 1;
        for (var index = 0; index < _states.Count; index++)
        {
            if (index == endOfLevel)
            {
                (Depth, endOfLevel) = (Depth + 1, _states.Count);
                cancellationToken.ThrowIfCancellationRequested();
            }

            if (_model.Broken(_states[index]) is { } promise)
            {
                Violation = (promise, index);
                return;
            }

            next.Clear();
            _model.AddNext(_states[index], next);
            foreach (var (action, state) in next)
            {
                var (target, isNew) = _states.Add(state);
                if (isNew)
                {
                    _parents.Add(index);
                }

                Edges.Add(action, target);
            }

            Edges.EndState();
            if (_states.Count > mostStates)
            {
                throw new InvalidOperationException($"more than {mostStates:n0} states: the bounds are too wide");
            }
        }
    }
}
