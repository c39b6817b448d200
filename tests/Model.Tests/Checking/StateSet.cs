using System.Runtime.InteropServices;

namespace FeedbackLoop.Model.Checking;

/// <summary>
/// States in the order of their discovery, each once: a hash table with open addresses over one array.
/// </summary>
internal sealed class StateSet<TState>
    where TState : unmanaged
{
    private TState[] _states = new TState[1 << 12];
    private int[] _places = new int[1 << 13]; // index + 1; 0: free

    public int Count { get; private set; }

    public ref readonly TState this[int index] => ref _states[index];

    /// <returns>Its index, and whether it was not there yet.</returns>
    public (int Index, bool IsNew) Add(in TState state)
    {
        var mask = _places.Length - 1;
        for (var place = (int)Hash(state) & mask; ; place = (place + 1) & mask)
        {
            var found = _places[place] - 1;
            if (found < 0)
            {
                _places[place] = Count + 1;
                Append(state);
                return (Count - 1, true);
            }

            if (IsSame(_states[found], state))
            {
                return (found, false);
            }
        }
    }

    private void Append(in TState state)
    {
        if (Count == _states.Length)
        {
            Array.Resize(ref _states, 2 * _states.Length);
        }

        _states[Count++] = state;
        if (2 * Count > _places.Length)
        {
            Grow();
        }
    }

    private void Grow()
    {
        _places = new int[2 * _places.Length];
        var mask = _places.Length - 1;
        for (var index = 0; index < Count; index++)
        {
            var place = (int)Hash(_states[index]) & mask;
            while (_places[place] != 0)
            {
                place = (place + 1) & mask;
            }

            _places[place] = index + 1;
        }
    }

    public static bool IsSame(in TState one, in TState other) => Words(one).SequenceEqual(Words(other));

    private static uint Hash(in TState state)
    {
        var hash = 0xcbf29ce484222325UL;
        foreach (var word in Words(state))
        {
            hash = (hash ^ word) * 0x9fb21c651e98df25UL;
            hash ^= hash >> 32;
        }

        return (uint)(hash ^ (hash >> 17));
    }

    private static ReadOnlySpan<ulong> Words(in TState state) => MemoryMarshal.Cast<TState, ulong>(
        MemoryMarshal.CreateReadOnlySpan(in state, 1));
}
