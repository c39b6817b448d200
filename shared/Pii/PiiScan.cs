using System.Buffers;

namespace FeedbackLoop.Pii;

/// <summary>One scan of one text: the folded text, its digit groups, and what the detectors found so far.</summary>
internal ref struct PiiScan
{
    private const byte Found = 1;
    private const byte Refused = 2;

    private readonly bool _stopAtFirst;
    private readonly List<PiiMatch>? _matches;
    private FoldedText _folded;
    private DigitGroup[] _groups;
    private byte[]? _marks;

    /// <param name="matches">Receives the matches; <see langword="null"/> stops the scan at the first.</param>
    public PiiScan(ReadOnlySpan<char> original, List<PiiMatch>? matches)
    {
        _matches = matches;
        _stopAtFirst = matches is null;
        _folded = new FoldedText(original);
        Text = _folded.Text;
        _groups = ArrayPool<DigitGroup>.Shared.Rent(64);
        var count = FindGroups();
        Groups = _groups.AsSpan(0, count);
    }

    public ReadOnlySpan<char> Text { get; }

    /// <summary>All digit groups, in the order of the text.</summary>
    public ReadOnlySpan<DigitGroup> Groups { get; }

    public bool HasMatch { get; private set; }

    /// <summary>Nothing that is found from here on changes the answer.</summary>
    public readonly bool IsDone => _stopAtFirst && HasMatch;

    public void Add(PiiKind kind, int start, int end)
    {
        HasMatch = true;
        Marks(start, end).Fill(Found);
        var from = _folded.OriginalOffset(start);
        _matches?.Add(new PiiMatch(kind, from, _folded.OriginalEnd(end - 1) - from));
    }

    /// <summary>Records that the text has the form of an identifier, or of an address's at sign, and yet cannot be one.</summary>
    public void Refuse(int start, int end) => Marks(start, end).Fill(Refused);

    public readonly bool IsFound(int start, int end) =>
        _marks is not null && _marks.AsSpan(start, end - start).Contains(Found);

    public readonly bool IsRefused(int start, int end) =>
        _marks is not null && _marks.AsSpan(start, end - start).Contains(Refused);

    public void Dispose()
    {
        _folded.Dispose();
        ArrayPool<DigitGroup>.Shared.Return(_groups);
        if (_marks is not null)
        {
            ArrayPool<byte>.Shared.Return(_marks);
            _marks = null;
        }
    }

    private Span<byte> Marks(int start, int end)
    {
        if (_marks is null)
        {
            _marks = ArrayPool<byte>.Shared.Rent(Text.Length);
            _marks.AsSpan(0, Text.Length).Clear();
        }

        return _marks.AsSpan(start, end - start);
    }

    private int FindGroups()
    {
        var count = 0;
        var position = 0;
        while (Text[position..].IndexOfAnyInRange('0', '9') is >= 0 and var skip)
        {
            var start = position + skip;
            var end = start + 1;
            while (end < Text.Length && char.IsAsciiDigit(Text[end]))
            {
                end++;
            }

            position = end;
            if (Placeholders.IsNumberOfOne(Text, start, end))
            {
                continue;
            }

            if (count == _groups.Length)
            {
                var larger = ArrayPool<DigitGroup>.Shared.Rent(count * 2);
                _groups.CopyTo(larger, 0);
                ArrayPool<DigitGroup>.Shared.Return(_groups);
                _groups = larger;
            }

            _groups[count++] = new DigitGroup(start, end);
        }

        return count;
    }
}
