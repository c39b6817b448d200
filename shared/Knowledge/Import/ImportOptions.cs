namespace FeedbackLoop.Knowledge.Import;

/// <summary>How lines without a <c>review</c> of their own are reviewed, and what a line may hold at most.</summary>
/// <remarks>
/// Which chunk is reviewed depends on <see cref="Seed"/> and the chunk's external id alone: the same file gives the
/// same mixture in every database.
/// </remarks>
public sealed record ImportOptions
{
    /// <summary>Share of chunks, 0 to 1, whose objects a person has reviewed.</summary>
    public double ReviewedShare { get; init; } = 0.4;

    /// <summary>Lowest confidence, 0 to 1, of an extraction that nobody has reviewed; the highest is 1.</summary>
    public double ConfidenceFrom { get; init; } = 0.7;

    /// <summary>Share of the objects of reviewed chunks, 0 to 1, that the reviewer turned down.</summary>
    public double RejectedShare { get; init; } = 0.03;

    public long Seed { get; init; } = 1;

    /// <summary>
    /// Whether a line that does not say so itself is annotated completely: without entities, its text holds nothing to find.
    /// </summary>
    public bool IsAnnotated { get; init; }

    /// <summary>Longest text of a chunk, in UTF-16 code units.</summary>
    public int MaxTextLength { get; init; } = 1_000_000;

    /// <summary>Most entities of one line.</summary>
    public int MaxEntities { get; init; } = 50_000;

    /// <summary>Longest line in bytes. Together with the size of a batch it bounds the memory of an import.</summary>
    public int MaxLineBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Lines of one transaction; fewer when they are large.</summary>
    public int LinesPerBatch { get; init; } = 500;
}
