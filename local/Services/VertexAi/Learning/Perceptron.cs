namespace FeedbackLoop.Local.VertexAi.Learning;

/// <summary>
/// An averaged perceptron over sparse features: it learns from mistakes only, one example at a time, and the average of
/// all its states is what it answers with. Collins, "Discriminative Training Methods for Hidden Markov Models", 2002.
/// </summary>
internal sealed class Perceptron
{
    private readonly Dictionary<ulong, int> _index = [];
    private readonly List<Row> _rows = [];
    private int _step = 1;

    /// <summary>The number by which the feature is known; new ones get one.</summary>
    public int Learnable(ulong feature)
    {
        if (!_index.TryGetValue(feature, out var row))
        {
            row = _rows.Count;
            _index.Add(feature, row);
            _rows.Add(new Row());
        }

        return row;
    }

    /// <returns>-1 for a feature that was never learnt.</returns>
    public int Known(ulong feature) => _index.GetValueOrDefault(feature, -1);

    /// <summary>Adds what a feature says about each label.</summary>
    public void Score(int feature, Span<float> scores)
    {
        if (feature < 0)
        {
            return;
        }

        foreach (ref readonly var cell in _rows[feature].Cells)
        {
            if (cell.Label < scores.Length)
            {
                scores[cell.Label] += cell.Weight;
            }
        }
    }

    public void NextStep() => _step++;

    public void Add(int feature, int label, float change)
    {
        ref var cell = ref _rows[feature].Find((short)label);
        cell.Total += (double)cell.Weight * (_step - cell.Since);
        cell.Since = _step;
        cell.Weight += change;
    }

    /// <summary>Puts the average in place of the last state and forgets what came to nothing.</summary>
    public void Settle()
    {
        foreach (var row in _rows)
        {
            row.Settle(_step);
        }

        _step = 1;
    }

    public void Save(BinaryWriter writer)
    {
        var used = _index.Where(entry => _rows[entry.Value].Cells.Length > 0).ToList();
        writer.Write(used.Count);
        foreach (var (feature, row) in used)
        {
            var cells = _rows[row].Cells;
            writer.Write(feature);
            writer.Write((short)cells.Length);
            foreach (ref readonly var cell in cells)
            {
                writer.Write(cell.Label);
                writer.Write(cell.Weight);
            }
        }
    }

    public static Perceptron Load(BinaryReader reader)
    {
        var result = new Perceptron();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var row = result._rows[result.Learnable(reader.ReadUInt64())];
            for (var cells = reader.ReadInt16(); cells > 0; cells--)
            {
                var label = reader.ReadInt16();
                row.Find(label) = new Cell { Label = label, Weight = reader.ReadSingle(), Since = 1 };
            }
        }

        return result;
    }

    private struct Cell
    {
        public short Label;
        public float Weight;
        public int Since;
        public double Total;
    }

    /// <summary>What one feature says: a few labels of many.</summary>
    private sealed class Row
    {
        private Cell[] _cells = [];
        private int _count;

        public ReadOnlySpan<Cell> Cells => _cells.AsSpan(0, _count);

        public ref Cell Find(short label)
        {
            for (var i = 0; i < _count; i++)
            {
                if (_cells[i].Label == label)
                {
                    return ref _cells[i];
                }
            }

            if (_count == _cells.Length)
            {
                Array.Resize(ref _cells, Math.Max(2, 2 * _count));
            }

            _cells[_count] = new Cell { Label = label, Since = 1 };
            return ref _cells[_count++];
        }

        public void Settle(int step)
        {
            var kept = 0;
            for (var i = 0; i < _count; i++)
            {
                var cell = _cells[i];
                var average = (cell.Total + ((double)cell.Weight * (step - cell.Since))) / step;
                if (Math.Abs(average) > 1e-4)
                {
                    _cells[kept++] = new Cell { Label = cell.Label, Weight = (float)average, Since = 1 };
                }
            }

            _count = kept;
            Array.Resize(ref _cells, kept);
        }
    }
}
