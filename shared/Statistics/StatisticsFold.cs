using Npgsql;

namespace FeedbackLoop.Statistics;

/// <summary>What a fold did.</summary>
/// <param name="Changes">Rows that were taken out of the log.</param>
/// <param name="IsComplete">Whether everything that was committed when the fold began is counted now.</param>
public readonly record struct FoldOutcome(int Changes, bool IsComplete);

/// <summary>
/// Brings the counts of a project up to its rows. Whatever happens, the counts are those of some moment: a fold is one
/// transaction, and folds of one project queue.
/// </summary>
/// <param name="open">A connection that sees the project: any one of the pool, or one that is bound to its organization.</param>
public sealed class StatisticsFold(Func<CancellationToken, ValueTask<NpgsqlConnection>> open)
{
    /// <summary>Changes of one transaction: others wait for its end.</summary>
    private const int BatchSize = 2_000;

    public StatisticsFold(NpgsqlDataSource database)
        : this(database.OpenConnectionAsync)
    {
    }

    /// <summary>Folds until nothing is left or so many changes are folded.</summary>
    public async Task<FoldOutcome> FoldAllAsync(Guid projectId, int limit, CancellationToken cancellationToken)
    {
        for (var changes = 0; ;)
        {
            var outcome = await FoldAsync(projectId, Math.Min(BatchSize, limit - changes), cancellationToken);
            changes += outcome.Changes;
            if (outcome.IsComplete || changes >= limit)
            {
                return outcome with { Changes = changes };
            }
        }
    }

    /// <summary>Folds the oldest changes. A project that was never counted, or by other rules, is counted whole.</summary>
    /// <param name="limit">Most rows of the log that are taken; positive.</param>
    /// <returns>Nothing, and complete, for a project that there is not, or not any more.</returns>
    public async Task<FoldOutcome> FoldAsync(Guid projectId, int limit, CancellationToken cancellationToken)
    {
        await using var db = await open(cancellationToken);
        await db.AddCountedProjectAsync(projectId, cancellationToken);

        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (await db.LockCountedProjectAsync(projectId, cancellationToken) is not { } project)
        {
            return new FoldOutcome(0, IsComplete: true);
        }

        var outcome = project.Rules == CountingRules.Current.Name
            ? await FoldChangesAsync(db, project, limit, cancellationToken)
            : await CountAsync(db, project, changes: 0, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return outcome;
    }

    private static async Task<FoldOutcome> FoldChangesAsync(
        NpgsqlConnection db, CountedProject project, int limit, CancellationToken cancellationToken)
    {
        await db.PreferIndexesAsync(cancellationToken);
        var taken = await db.TakeChangesAsync(project.ProjectId, limit, cancellationToken);
        var changes = (int)taken.Sum(change => change.Changes);
        if (taken.Any(change => change.Subject == NotedSubject.Project))
        {
            return await CountAsync(db, project, changes, cancellationToken);
        }

        // What was not seen when the log was last empty was committed after that, whatever its statement's time.
        var floor = project.CompleteTo ?? DateTimeOffset.MinValue;
        var noted = taken.Select(c => c with { At = c.At > floor ? c.At : floor }).ToList();
        var objects = noted
            .Where(c => c.Subject == NotedSubject.Object)
            .Select(c => new NotedObject(c.SubjectId, c.At));
        if (noted.Exists(c => c.Subject != NotedSubject.Object))
        {
            objects = objects
                .Concat(await db.ListAffectedObjectsAsync(project.ProjectId, noted, cancellationToken))
                .GroupBy(o => o.CanonicalId, (id, times) => new NotedObject(id, times.Max(o => o.At)));
        }

        var extractions = await db.RecountObjectsAsync(
            project, [.. objects], CountingRules.Current, cancellationToken);
        if (extractions.Count > 0)
        {
            await db.RecountExtractionsAsync(project, extractions, CountingRules.Current, cancellationToken);
        }

        var isComplete = changes < limit;
        await db.MarkFoldedAsync(project, isComplete, cancellationToken);
        return new FoldOutcome(changes, isComplete);
    }

    private static async Task<FoldOutcome> CountAsync(
        NpgsqlConnection db, CountedProject project, int changes, CancellationToken cancellationToken)
    {
        // In this order: a change that is committed in between is counted now and once more when its row is folded.
        await db.ClearCountsAsync(project.ProjectId, cancellationToken);
        await db.PreferHashJoinsAsync(cancellationToken);
        await db.CountProjectAsync(project, CountingRules.Current, cancellationToken);
        return new FoldOutcome(changes, IsComplete: true);
    }
}
