using FeedbackLoop.Examples;

namespace FeedbackLoop.Datasets;

/// <summary>
/// Lets a person's examples through to their files while nobody has more than the share of what is learnt from, at the end of
/// each batch that it lets through and so at the last one.
/// </summary>
/// <remarks>
/// <see cref="Contributors"/> has chosen them by a count that does not know which examples their texts leave out. One that does
/// not fit yet waits, in queues of bounded size, for examples of others: also for such as wait themselves, because the first
/// example of all is its person's alone. A person's are counted when they are let through, and what they are a share of when it
/// stands in its file, so that what is left out later breaks nothing. One example is always allowed; without it there would be
/// no dataset. What is held out passes, and so does what is nobody's.
/// </remarks>
/// <param name="maxShare">Above 0; 1 lets everything through.</param>
/// <param name="waitingBytes">Most bytes of lines that wait.</param>
internal sealed class ContributorQuota(double maxShare, int waitingBytes = ContributorQuota.WaitingBytes)
{
    public const int WaitingBytes = 4 * 1024 * 1024;

    private readonly Dictionary<string, Person> _people = new(StringComparer.Ordinal);

    // In the order in which they began to wait, so that the same lines come out in the same order.
    private readonly List<Person> _waiting = [];
    private long _waitingBytes;
    private long _written;
    private int _refused;

    /// <summary>Examples that did not fit so far, those that still wait among them.</summary>
    public int Surplus => _refused + _waiting.Sum(person => person.Waiting);

    /// <returns>What goes on now, in this order: the line itself, or others with it, or nothing.</returns>
    public IReadOnlyList<ExampleLine> Pass(ExampleLine line)
    {
        if (line.Contributor is not { } name || maxShare >= ContributorShare.Off || line.Origin.Split == DocumentSplit.Test)
        {
            return [line];
        }

        if (!_people.TryGetValue(name, out var person))
        {
            _people[name] = person = new Person();
        }

        if (person.Waiting == 0 && Fits(person.Passed + 1, _written + (Trains(line) ? 1 : 0)))
        {
            person.Passed++;
            return [line];
        }

        if (_waitingBytes + line.Line.Length > waitingBytes)
        {
            _refused++;
            return [];
        }

        if (person.Waiting == 0)
        {
            _waiting.Add(person);
        }

        person.Add(line with { Line = line.Line.ToArray() });
        _waitingBytes += line.Line.Length;
        return Release();
    }

    /// <summary>Counts a line that stands in its file now.</summary>
    /// <returns>Lines that waited and go on because of it.</returns>
    public IReadOnlyList<ExampleLine> Written(ExampleLine line)
    {
        if (line.Origin.Split == DocumentSplit.Test)
        {
            return [];
        }

        _written++;
        return _waiting.Count == 0 ? [] : Release();
    }

    // Of all that waits, as much as fits together: the largest number that each may have if all have as many.
    private List<ExampleLine> Release()
    {
        var cap = _waiting.Max(person => person.Passed + person.Waiting);
        while (true)
        {
            var examples = _written + _waiting.Sum(person => person.TrainingUpTo(cap));
            if (Fits(cap, examples))
            {
                break;
            }

            cap = ContributorShare.Allowed(examples, maxShare);
        }

        var released = new List<ExampleLine>();
        foreach (var person in _waiting)
        {
            while (person.Waiting > 0 && person.Passed < cap)
            {
                var line = person.Take();
                _waitingBytes -= line.Line.Length;
                released.Add(line);
            }
        }

        _waiting.RemoveAll(person => person.Waiting == 0);
        return released;
    }

    private bool Fits(long passed, long examples) =>
        passed <= 1 || passed <= ContributorShare.Allowed(examples, maxShare);

    // What trains is written as soon as it is let through; what validates may have to wait, and counts when it is written.
    private static bool Trains(ExampleLine line) => line.Origin.Split == DocumentSplit.Train;

    private sealed class Person
    {
        // Each with how many lines that train were added up to and with it.
        private readonly List<(ExampleLine Line, long Training)> _lines = [];
        private int _first;
        private long _added;
        private long _taken;

        public long Passed { get; set; }

        public int Waiting => _lines.Count - _first;

        public void Add(ExampleLine line)
        {
            _added += Trains(line) ? 1 : 0;
            _lines.Add((line, _added));
        }

        public ExampleLine Take()
        {
            var (line, training) = _lines[_first++];
            (_taken, Passed) = (training, Passed + 1);

            // In one go for many, so that each costs the same.
            if (_first > 64 && _first > _lines.Count / 2)
            {
                _lines.RemoveRange(0, _first);
                _first = 0;
            }

            return line;
        }

        /// <summary>Lines that train among those that a cap would let through.</summary>
        public long TrainingUpTo(long cap)
        {
            var count = Math.Min(Waiting, cap - Passed);
            return count <= 0 ? 0 : _lines[_first + (int)count - 1].Training - _taken;
        }
    }
}
