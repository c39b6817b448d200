using System.Data;
using Npgsql;

namespace FeedbackLoop.Statistics;

/// <summary>Reads the statistics of a project or an organization, after it has folded what is not counted yet.</summary>
/// <remarks>So a reading shows what was committed before it, unless there is more than it may fold.</remarks>
/// <param name="open">A connection that sees the organization: any one of the pool, or one that is bound to it.</param>
public sealed class StatisticsReader(Func<CancellationToken, ValueTask<NpgsqlConnection>> open, StatisticsFold fold)
{
    /// <summary>Most changes that one reading folds.</summary>
    public const int FoldLimit = 20_000;

    /// <summary>Pending changes are counted so far.</summary>
    public const int PendingLimit = 100_000;

    /// <summary>Most projects that a reading of an organization counts for the first time.</summary>
    private const int FirstCountLimit = 20;

    public StatisticsReader(NpgsqlDataSource database, StatisticsFold fold)
        : this(database.OpenConnectionAsync, fold)
    {
    }

    /// <returns>Null when the organization has no such project.</returns>
    public async Task<TrainingStatistics?> ReadProjectAsync(
        Guid organizationId, Guid projectId, VerificationLevel level, CancellationToken cancellationToken)
    {
        var counts = await ReadCountsAsync(organizationId, projectId, level, cancellationToken);
        if (counts is [{ } before, ..] && !IsCurrent(before.Rules, before.PendingChanges))
        {
            await fold.FoldAllAsync(projectId, FoldLimit, cancellationToken);
            counts = await ReadCountsAsync(organizationId, projectId, level, cancellationToken);
        }

        if (counts is not [{ } project, ..])
        {
            return null;
        }

        var types = Sorted(counts
            .Where(c => c.Type is not null)
            .Select(c => new TypeStatistics(c.Type!, c.HumanReviewed, c.AutoAccepted, c.Rejected, c.Undecided)));
        return new TrainingStatistics(
            organizationId,
            projectId,
            types.Sum(t => t.Verified),
            types.Sum(t => t.HumanReviewed),
            types.Sum(t => t.AutoAccepted),
            types.Sum(t => t.Rejected),
            types.Sum(t => t.Undecided),
            types,
            fold.Rules.Examples(project.WithContent, project.EmptyTexts),
            project.EmptyTexts,
            project.ExcludedUndecided,
            fold.Rules.Examples(project.RecentWithContent, project.RecentEmptyTexts),
            project.LastTrainedOn is null ? null : fold.Rules.Examples(project.NewWithContent, project.NewEmptyTexts),
            project.LastTrainedOn,
            project.PendingChanges,
            project.CountedAt,
            project.LastChangeAt);
    }

    /// <returns>Without projects when there is no such organization.</returns>
    public async Task<OrganizationStatistics> ReadOrganizationAsync(
        Guid organizationId, VerificationLevel level, CancellationToken cancellationToken)
    {
        var (projects, totals) = await ReadTotalsAsync(organizationId, level, cancellationToken);
        if (projects.Any(p => !IsCurrent(p.Rules, p.PendingChanges)))
        {
            await FoldAsync(projects, cancellationToken);
            (projects, totals) = await ReadTotalsAsync(organizationId, level, cancellationToken);
        }

        var live = projects.Select(p => p.ProjectId).ToHashSet();
        var ofLive = totals.Where(t => live.Contains(t.ProjectId)).ToList();
        var types = Sorted(ofLive
            .GroupBy(t => t.Type, StringComparer.Ordinal)
            .Select(t => new TypeStatistics(
                t.Key, t.Sum(x => x.HumanReviewed), t.Sum(x => x.AutoAccepted), t.Sum(x => x.Rejected),
                t.Sum(x => x.Undecided))));
        var verified = ofLive.ToLookup(t => t.ProjectId, t => t.HumanReviewed + t.AutoAccepted);
        var lastTrainedOn = projects.Select(p => p.LastTrainedOn).FirstOrDefault();
        return new OrganizationStatistics(
            organizationId,
            types.Sum(t => t.Verified),
            types.Sum(t => t.HumanReviewed),
            types.Sum(t => t.AutoAccepted),
            types.Sum(t => t.Rejected),
            types.Sum(t => t.Undecided),
            types,
            fold.Rules.Examples(projects.Sum(p => p.WithContent), projects.Sum(p => p.EmptyTexts)),
            projects.Sum(p => p.EmptyTexts),
            projects.Sum(p => p.ExcludedUndecided),
            fold.Rules.Examples(projects.Sum(p => p.RecentWithContent), projects.Sum(p => p.RecentEmptyTexts)),
            lastTrainedOn is null
                ? null
                : fold.Rules.Examples(projects.Sum(p => p.NewWithContent), projects.Sum(p => p.NewEmptyTexts)),
            lastTrainedOn,
            projects.Sum(p => p.PendingChanges),
            projects.Count(p => p.Rules is null),
            projects.Max(p => p.LastChangeAt),
            [.. projects
                .Select(p => new ProjectSummary(
                    p.ProjectId, p.Name, verified[p.ProjectId].Sum(), fold.Rules.Examples(p.WithContent, p.EmptyTexts),
                    p.LastChangeAt))
                .OrderByDescending(p => p.Verified)
                .ThenBy(p => p.Name, StringComparer.Ordinal)
                .ThenBy(p => p.ProjectId)]);
    }

    private async Task FoldAsync(IReadOnlyList<ProjectTotals> projects, CancellationToken cancellationToken)
    {
        var left = FoldLimit;
        foreach (var project in projects.Where(p => IsCounted(p.Rules) && p.PendingChanges > 0))
        {
            if (left <= 0)
            {
                break;
            }

            left -= (await fold.FoldAllAsync(project.ProjectId, left, cancellationToken)).Changes;
        }

        foreach (var project in projects.Where(p => !IsCounted(p.Rules)).Take(FirstCountLimit))
        {
            await fold.FoldAsync(project.ProjectId, left, cancellationToken);
        }
    }

    private async Task<IReadOnlyList<ProjectCounts>> ReadCountsAsync(
        Guid organizationId, Guid projectId, VerificationLevel level, CancellationToken cancellationToken)
    {
        await using var db = await open(cancellationToken);
        return await db.ReadProjectCountsAsync(organizationId, projectId, level, PendingLimit, cancellationToken);
    }

    private async Task<(IReadOnlyList<ProjectTotals> Projects, IReadOnlyList<TypeTotals> Types)> ReadTotalsAsync(
        Guid organizationId, VerificationLevel level, CancellationToken cancellationToken)
    {
        await using var db = await open(cancellationToken);
        await using var snapshot = await db.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        return (
            await db.ReadProjectTotalsAsync(organizationId, level, PendingLimit, cancellationToken),
            await db.ReadTypeTotalsAsync(organizationId, level, cancellationToken));
    }

    private bool IsCounted(string? rules) => rules == fold.Rules.Name;

    private bool IsCurrent(string? rules, long pendingChanges) => IsCounted(rules) && pendingChanges == 0;

    private static IReadOnlyList<TypeStatistics> Sorted(IEnumerable<TypeStatistics> types) =>
        [.. types
            .OrderByDescending(t => t.Verified)
            .ThenBy(t => t.Type, StringComparer.Ordinal)];
}
