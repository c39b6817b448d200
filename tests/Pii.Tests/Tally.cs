namespace FeedbackLoop.Pii.Tests;

/// <summary>Hits, misses and false alarms per kind.</summary>
internal sealed class Tally(PiiScanner scanner)
{
    private readonly Dictionary<PiiKind, int> _hits = [];
    private readonly Dictionary<PiiKind, int> _misses = [];
    private readonly Dictionary<PiiKind, int> _falseAlarms = [];

    public List<string> Errors { get; } = [];

    public void Add(IEnumerable<Sample> samples)
    {
        foreach (var sample in samples)
        {
            Add(sample);
        }
    }

    /// <summary>Share of the samples of a kind that are found whole.</summary>
    public double Recall(PiiKind kind) => Share(Count(_hits, kind), Count(_misses, kind));

    /// <summary>Share of what is reported as a kind that is of that kind.</summary>
    public double Precision(PiiKind kind) => Share(Count(_hits, kind), Count(_falseAlarms, kind));

    public int Positives(PiiKind kind) => Count(_hits, kind) + Count(_misses, kind);

    public string Report() => string.Join('\n', Enum.GetValues<PiiKind>().Select(kind => FormattableString.Invariant(
        $"{kind,-24} {Positives(kind),5} positives, recall {Recall(kind):F4}, precision {Precision(kind):F4}")));

    private void Add(Sample sample)
    {
        var matches = scanner.Find(sample.Text);
        if (sample.Kind is { } kind)
        {
            var isHit = matches.Any(match => match.Kind == kind && Covers(match, sample));
            Increment(isHit ? _hits : _misses, kind);
            if (!isHit)
            {
                Errors.Add($"missed {kind}: {sample}");
            }
        }

        foreach (var match in matches.Where(match => match.Kind != sample.Kind || !Covers(match, sample)))
        {
            Increment(_falseAlarms, match.Kind);
            Errors.Add($"false {match.Kind} at {match.Start}+{match.Length}: {sample}");
        }
    }

    // A sign or two more than the value (a parenthesis, a plus) is no error.
    private static bool Covers(PiiMatch match, Sample sample) =>
        match.Start <= sample.Start && match.End >= sample.Start + sample.Length && match.Length <= sample.Length + 3;

    private static double Share(int part, int rest) => part + rest == 0 ? 1 : (double)part / (part + rest);

    private static int Count(Dictionary<PiiKind, int> counts, PiiKind kind) => counts.GetValueOrDefault(kind);

    private static void Increment(Dictionary<PiiKind, int> counts, PiiKind kind) =>
        counts[kind] = Count(counts, kind) + 1;
}
