using FeedbackLoop.Examples;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Pii;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Statistics.Tests;

/// <summary>What a project comes to, in a form that two can be compared and read in.</summary>
internal sealed record Figures(string Objects, long ExamplesAvailable, long EmptyTexts, long ExcludedUndecided)
{
    /// <summary>The thresholds in hundredths at which figures are compared; 101 is human review only.</summary>
    public static IReadOnlyList<ExportCriteria> Levels { get; } =
    [
        .. ((int[])[0, 1, 50, 84, 85, 86, 99, 100, 101]).Select(CriteriaOf),
        .. ((int[])[85, 86]).Select(level => CriteriaOf(level) with { CountOwnAcceptances = true }),
    ];

    private static ExportCriteria CriteriaOf(int hundredths) => new()
    {
        MinConfidence = Math.Min(hundredths, 100) / 100.0,
        HumanReviewedOnly = hundredths == 101,
        Pii = PiiPolicy.Allow,
    };

    public static VerificationLevel LevelOf(int hundredths) =>
        hundredths == 101 ? VerificationLevel.PersonOnly : VerificationLevel.Find(hundredths / 100.0)!.Value;

    public static Figures Of(TrainingStatistics statistics) => new(
        Text(statistics.ByType), statistics.ExamplesAvailable, statistics.EmptyTexts, statistics.ExcludedUndecided);

    /// <summary>Counted by what an export itself does: its reading, and its rules on each candidate.</summary>
    public static async Task<Figures> FromRowsAsync(
        TestDatabase database, Guid organization, Guid project, ExportCriteria criteria,
        CancellationToken cancellationToken)
    {
        await using var snapshot = await KnowledgeSnapshot.OpenAsync(
            database.Database,
            new KnowledgeSelection(
                organization, project, VerificationRule.Of(criteria, new VerificationOptions()), IncludeDeleted: true, Seed: 1),
            cancellationToken);

        var objects = await snapshot.StreamObjectsAsync(cancellationToken).ToListAsync(cancellationToken);
        var people = await PeopleAsync(database, organization, project, cancellationToken);
        var types = objects
            .Where(o => o.Verdict is Verdict.Verified or Verdict.Rejected or Verdict.Undecided)
            .GroupBy(o => o.Type)
            .Select(type => new TypeStatistics(
                type.Key,
                type.LongCount(o => o.Verdict == Verdict.Verified && people.Contains(o.CanonicalId)),
                type.LongCount(o => o.Verdict == Verdict.Verified && !people.Contains(o.CanonicalId)),
                type.LongCount(o => o.Verdict == Verdict.Rejected),
                type.LongCount(o => o.Verdict == Verdict.Undecided)));

        var (available, empty, undecided) = (0, 0, 0);
        var scanner = new PiiScanner();
        var contents = await snapshot.StreamContentsAsync(criteria.MaxUndecidedShare, cancellationToken)
            .ToListAsync(cancellationToken);
        var contradicted = contents.SelectMany(document => document.ContradictedJobs).ToHashSet();
        await foreach (var candidate in snapshot.ReadCandidatesAsync(contradicted, cancellationToken))
        {
            var decision = ExampleRules.Decide(candidate, criteria, scanner, ExtractionTypes.None);
            available += decision is ExampleRules.Decision.Accepted { Example.IsEmpty: false } ? 1 : 0;
            empty += decision is ExampleRules.Decision.Accepted { Example.IsEmpty: true } ? 1 : 0;
            undecided += decision is ExampleRules.Decision.Excluded { Reason: ExclusionReason.UndecidedObjects } ? 1 : 0;
        }

        return new Figures(
            Text(types), EmptyShare.Examples(available, empty, criteria.MaxEmptyShare), empty, undecided);
    }

    private static async Task<HashSet<Guid>> PeopleAsync(
        TestDatabase database, Guid organization, Guid project, CancellationToken cancellationToken)
    {
        await using var snapshot = await KnowledgeSnapshot.OpenAsync(
            database.Database,
            new KnowledgeSelection(
                organization, project,
                VerificationRule.Of(new ExportCriteria { HumanReviewedOnly = true }, new VerificationOptions()),
                IncludeDeleted: true, Seed: 1),
            cancellationToken);
        var verified = await snapshot.StreamObjectsAsync(cancellationToken)
            .Where(o => o.Verdict == Verdict.Verified)
            .ToListAsync(cancellationToken);
        return [.. verified.Select(o => o.CanonicalId)];
    }

    private static string Text(IEnumerable<TypeStatistics> types) => string.Join(
        "; ",
        types
            .OrderBy(t => t.Type, StringComparer.Ordinal)
            .Select(t => $"{t.Type}: {t.HumanReviewed} human, {t.AutoAccepted} auto, {t.Rejected} no, {t.Undecided} open"));
}
