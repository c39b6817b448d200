namespace FeedbackLoop.Knowledge.Import;

/// <summary>How far an import has come.</summary>
/// <param name="TotalBytes">Null when the length of the input is not known, as with a pipe.</param>
public readonly record struct ImportProgress(long Lines, long Bytes, long? TotalBytes);

/// <summary>Why one line did not go in.</summary>
/// <param name="Line">Counted from 1, blank lines included.</param>
public sealed record LineProblem(long Line, string Reason);

/// <summary>What an import found and did.</summary>
public sealed class ImportReport
{
    /// <summary>At most this many problems are kept with their reason; the rest is only counted.</summary>
    public const int KeptProblems = 100;

    private readonly List<LineProblem> _brokenLines = [];
    private readonly List<LineProblem> _differentLines = [];

    public Guid OrganizationId { get; internal set; }

    /// <summary>Lines that are not blank: the sum of the four counts below.</summary>
    public long Lines => Added + Unchanged + Different + Broken;

    /// <summary>Chunks that are new.</summary>
    public long Added { get; internal set; }

    /// <summary>Chunks that are known with the same content.</summary>
    public long Unchanged { get; internal set; }

    /// <summary>Chunks that are known with other content. They stay as they are.</summary>
    public long Different { get; private set; }

    /// <summary>Lines that are not in the expected shape, or that the product has no room for.</summary>
    public long Broken { get; private set; }

    /// <summary>The first lines of <see cref="Different"/>.</summary>
    public IReadOnlyList<LineProblem> DifferentLines => _differentLines;

    /// <summary>The first lines of <see cref="Broken"/>.</summary>
    public IReadOnlyList<LineProblem> BrokenLines => _brokenLines;

    public long Projects { get; internal set; }

    /// <summary>New documents; likewise the counts that follow.</summary>
    public long Documents { get; internal set; }

    public long Objects { get; internal set; }

    public long Relationships { get; internal set; }

    /// <summary>Of the new objects, those that a person accepted.</summary>
    public long Reviewed { get; internal set; }

    /// <summary>Of the new objects, those that were accepted for their confidence.</summary>
    public long AutoAccepted { get; internal set; }

    public long Pending { get; internal set; }

    public long Rejected { get; internal set; }

    /// <summary>New chunks without entities that are declared as annotated: texts with nothing to find.</summary>
    public long NothingToFind { get; internal set; }

    /// <summary>Chunks of an earlier revision that are marked deleted now.</summary>
    public long ReplacedChunks { get; internal set; }

    internal void AddBroken(long line, string reason)
    {
        Broken++;
        Keep(_brokenLines, line, reason);
    }

    internal void AddDifferent(long line, string reason)
    {
        Different++;
        Keep(_differentLines, line, reason);
    }

    /// <summary>Adds what one transaction did, once it is committed.</summary>
    internal void Add(ImportReport other)
    {
        Added += other.Added;
        Unchanged += other.Unchanged;
        Documents += other.Documents;
        Objects += other.Objects;
        Relationships += other.Relationships;
        Reviewed += other.Reviewed;
        AutoAccepted += other.AutoAccepted;
        Pending += other.Pending;
        Rejected += other.Rejected;
        ReplacedChunks += other.ReplacedChunks;
        NothingToFind += other.NothingToFind;
        Different += other.Different - other._differentLines.Count;
        other._differentLines.ForEach(line => AddDifferent(line.Line, line.Reason));
        Broken += other.Broken - other._brokenLines.Count;
        other._brokenLines.ForEach(line => AddBroken(line.Line, line.Reason));
    }

    private static void Keep(List<LineProblem> problems, long line, string reason)
    {
        if (problems.Count < KeptProblems)
        {
            problems.Add(new LineProblem(line, reason));
        }
    }
}

/// <summary>The import cannot go on for a reason that the caller can mend; the message says how.</summary>
public sealed class ImportRefusedException(string message) : Exception(message);
