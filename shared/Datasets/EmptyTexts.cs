using FeedbackLoop.Examples;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Datasets;

/// <summary>
/// Which of the texts with nothing to find are learnt from: as many as the share allows, those with the smallest hashes, so
/// that a smaller share takes some of the same.
/// </summary>
internal sealed class EmptyTexts
{
    private readonly double _highest;

    private EmptyTexts(double highest, IReadOnlySet<Guid> contradicted) =>
        (_highest, Contradicted) = (highest, contradicted);

    /// <summary>Extractions that say nothing of their text, because another one of the same text has found something.</summary>
    public IReadOnlySet<Guid> Contradicted { get; }

    /// <summary>Counts in the snapshot what the share is of, without its held-out documents.</summary>
    /// <remarks>
    /// Examples with content are counted before their texts are looked at; where many of them are left out, <see cref="EmptyQuota"/>
    /// keeps the share.
    /// </remarks>
    public static async Task<EmptyTexts> ChooseAsync(
        KnowledgeSnapshot snapshot, ExportCriteria criteria, double testShare, CancellationToken cancellationToken)
    {
        var withContent = 0L;
        var empty = new List<double>();
        var contradicted = new HashSet<Guid>();
        await foreach (var document in snapshot.StreamContentsAsync(criteria.MaxUndecidedShare, cancellationToken))
        {
            contradicted.UnionWith(document.ContradictedJobs);
            var side = DocumentSplit.SideOf(criteria.Seed, document.DocumentId, testShare, criteria.ValidationShare);
            if (side != DocumentSplit.Test)
            {
                withContent += document.WithContent;
                empty.AddRange(document.EmptyJobs.Select(job => DocumentSplit.PositionOf(criteria.Seed, job)));
            }
        }

        var limit = EmptyShare.Limit(withContent, criteria.MaxEmptyShare);
        if (empty.Count <= limit)
        {
            return new(highest: 1, contradicted);
        }

        empty.Sort();
        return new(limit == 0 ? -1 : empty[(int)limit - 1], contradicted);
    }

    /// <param name="jobId">Of an extraction that is not held out.</param>
    public bool Takes(long seed, Guid jobId) => DocumentSplit.PositionOf(seed, jobId) <= _highest;
}
