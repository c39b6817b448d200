using FeedbackLoop.Examples;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Datasets;

/// <summary>Which extractions are learnt from, by one count in the snapshot, before their texts are looked at.</summary>
/// <param name="EmptyTexts">Of those whose text holds nothing.</param>
/// <param name="Contributors">Of those of one person.</param>
/// <param name="Contradicted">
/// Extractions that say nothing of their text, because another one of the same text has found something.
/// </param>
internal sealed record TextSelection(EmptyTexts EmptyTexts, Contributors Contributors, IReadOnlySet<Guid> Contradicted)
{
    public static async Task<TextSelection> ChooseAsync(
        KnowledgeSnapshot snapshot, ExportCriteria criteria, double testShare, double maxContributorShare,
        CancellationToken cancellationToken)
    {
        var isAttributed = maxContributorShare < ContributorShare.Off;
        var withContent = 0L;
        var examples = new List<(Guid JobId, string? Person)>();
        var empty = new List<(Guid JobId, string? Person)>();
        var contradicted = new HashSet<Guid>();
        await foreach (var document in snapshot.StreamContentsAsync(criteria.MaxUndecidedShare, cancellationToken))
        {
            contradicted.UnionWith(document.ContradictedJobs);
            var side = DocumentSplit.SideOf(criteria.Seed, document.DocumentId, testShare, criteria.ValidationShare);
            if (side == DocumentSplit.Test)
            {
                continue;
            }

            withContent += document.Jobs.Length;
            empty.AddRange(document.EmptyJobs.Zip(document.EmptyContributors));
            if (isAttributed)
            {
                examples.AddRange(document.Jobs.Zip(document.Contributors));
            }
        }

        var emptyTexts = EmptyTexts.Choose(withContent, empty.Select(each => each.JobId), criteria);
        examples.AddRange(empty.Where(each => emptyTexts.Takes(criteria.Seed, each.JobId)));
        return new(
            emptyTexts, Contributors.Choose(examples, maxContributorShare, criteria.Seed), contradicted);
    }
}
