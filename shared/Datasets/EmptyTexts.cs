using FeedbackLoop.Examples;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Datasets;

/// <summary>
/// Which of the texts with nothing to find are learnt from: as many as the share allows, those with the smallest hashes, so
/// that a smaller share takes some of the same.
/// </summary>
internal sealed class EmptyTexts
{
    private readonly double _highest;

    private EmptyTexts(double highest) => _highest = highest;

    /// <remarks>
    /// Examples with content are counted before their texts are looked at; where many of them are left out, <see cref="EmptyQuota"/>
    /// keeps the share.
    /// </remarks>
    /// <param name="withContent">What the share is of, without held-out documents.</param>
    /// <param name="empty">Extractions whose text holds nothing, likewise.</param>
    public static EmptyTexts Choose(long withContent, IEnumerable<Guid> empty, ExportCriteria criteria)
    {
        var positions = empty.Select(job => DocumentSplit.PositionOf(criteria.Seed, job)).ToList();
        var limit = EmptyShare.Limit(withContent, criteria.MaxEmptyShare);
        if (positions.Count <= limit)
        {
            return new(highest: 1);
        }

        positions.Sort();
        return new(limit == 0 ? -1 : positions[(int)limit - 1]);
    }

    /// <param name="jobId">Of an extraction that is not held out.</param>
    public bool Takes(long seed, Guid jobId) => DocumentSplit.PositionOf(seed, jobId) <= _highest;
}
