namespace FeedbackLoop.Model.Checking;

/// <summary>
/// Looks for a way to go on for ever outside a goal that no fairness forbids: a strongly connected part of the graph
/// without
/// the goal in which every action that owes to happen does happen, or a state in which nothing owes to.
/// </summary>
/// <remarks>
/// Emerson and Lei's search for Streett conditions. An action that owes weakly must happen inside the part when each of
/// its
/// states allows it; one that owes strongly when any of them does, and otherwise those states are taken out and the
/// rest is
/// looked at again. A part of one state counts as staying there.
/// </remarks>
internal sealed class FairCycles(EdgeList edges, int states, Func<byte, Fairness> fairnessOf)
{
    private const int Actions = 256;

    private readonly int[] _part = new int[states]; // 0: the goal, or taken out
    private readonly Fairness[] _fairness = [.. Enumerable.Range(0, Actions).Select(action => fairnessOf((byte)action))];
    private int _parts;

    /// <returns>The states of such a part, the first discovered first; null when there is none.</returns>
    public IReadOnlyList<int>? FindOutside(Func<int, bool> isGoal)
    {
        var all = new List<int>();
        _parts = 1;
        for (var state = 0; state < states; state++)
        {
            if (!isGoal(state))
            {
                _part[state] = _parts;
                all.Add(state);
            }
        }

        var components = new Components(edges, _part, states);
        var found = new List<IReadOnlyList<int>>();
        var open = new Stack<List<int>>([all]);
        while (open.TryPop(out var candidates))
        {
            foreach (var component in components.Of(candidates))
            {
                var part = ++_parts;
                foreach (var state in component)
                {
                    _part[state] = part;
                }

                switch (Judge(component, part, out var rest))
                {
                    case true:
                        found.Add(component);
                        break;
                    case null:
                        open.Push(rest);
                        break;
                }
            }
        }

        // The one that is reached first makes the shortest story.
        return found.MinBy(component => component.Min()) is { } first ? [.. first.Order()] : null;
    }

    // Most parts are one state; the model has no edge from a state to itself.
    private bool Owes(int state)
    {
        for (var edge = edges.FirstOf(state); edge < edges.EndOf(state); edge++)
        {
            if (_fairness[edges.ActionAt(edge)] != Fairness.None)
            {
                return true;
            }
        }

        return false;
    }

    /// <returns>True: fair. False: never. Null: perhaps without the states that are not in <paramref
    /// name="rest"/>.</returns>
    private bool? Judge(List<int> component, int part, out List<int> rest)
    {
        rest = [];
        if (component is [var only])
        {
            return !Owes(only);
        }

        var allowing = new int[Actions];
        var isTaken = new bool[Actions];
        var seenIn = new int[Actions];
        for (var index = 0; index < component.Count; index++)
        {
            var state = component[index];
            for (var edge = edges.FirstOf(state); edge < edges.EndOf(state); edge++)
            {
                var action = edges.ActionAt(edge);
                if (seenIn[action] != index + 1)
                {
                    (seenIn[action], allowing[action]) = (index + 1, allowing[action] + 1);
                }

                isTaken[action] |= _part[edges.TargetAt(edge)] == part;
            }
        }

        var owing = new bool[Actions];
        for (var action = 0; action < Actions; action++)
        {
            if (isTaken[action] || allowing[action] == 0)
            {
                continue;
            }

            if (_fairness[action] != Fairness.None && allowing[action] == component.Count)
            {
                return false;
            }

            owing[action] = _fairness[action] == Fairness.Strong;
        }

        if (!owing.Contains(true))
        {
            return true;
        }

        foreach (var state in component)
        {
            var isOut = false;
            for (var edge = edges.FirstOf(state); edge < edges.EndOf(state) && !isOut; edge++)
            {
                isOut = owing[edges.ActionAt(edge)];
            }

            if (isOut)
            {
                _part[state] = 0;
            }
            else
            {
                rest.Add(state);
            }
        }

        return rest.Count > 0 ? null : false;
    }
}
