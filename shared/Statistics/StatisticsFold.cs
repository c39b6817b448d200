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
public sealed class StatisticsFold(Func<CancellationToken, ValueTask<NpgsqlConnection>> open, CountingRules rules)
{
    /// <summary>Changes of one transaction: others wait for its end.</summary>
    private const int BatchSize = 2_000;

    private const int ObjectsOfStatement = 500;

    public StatisticsFold(NpgsqlDataSource database, CountingRules rules)
        : this(database.OpenConnectionAsync, rules)
    {
    }

    /// <summary>By which it counts.</summary>
    public CountingRules Rules => rules;

    /// <summary>Rows up to which a project is counted by its objects' keys; above, all tables are read once.</summary>
    internal int FewRows { get; init; } = 1_000;

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

        var outcome = project.Rules == rules.Name
            ? await FoldChangesAsync(db, project, limit, cancellationToken)
            : await CountAsync(db, project, changes: 0, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return outcome;
    }

    private async Task<FoldOutcome> FoldChangesAsync(
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
        var extractions = await RecountObjectsAsync(db, project, noted, cancellationToken);
        await RecountExtractionsAsync(db, project, extractions, cancellationToken);

        var isComplete = changes < limit;
        await db.MarkFoldedAsync(project, rules, isComplete, cancellationToken);
        return new FoldOutcome(changes, isComplete);
    }

    /// <returns>Each extraction in which a difference was found, once.</returns>
    private async Task<IReadOnlyCollection<NotedExtraction>> RecountObjectsAsync(
        NpgsqlConnection db, CountedProject project, IReadOnlyCollection<NotedChange> noted,
        CancellationToken cancellationToken)
    {
        var moved = noted
            .Where(c => c.Subject == NotedSubject.Evidence)
            .ToDictionary(c => c.SubjectId, c => c.At);
        if (noted.Any(c => c.Subject is NotedSubject.Extraction or NotedSubject.Document))
        {
            var affected = await db.ListAffectedObjectsAsync(project.ProjectId, noted, cancellationToken);
            Add(moved, affected.Select(o => (o.CanonicalId, o.At)));
        }

        var said = noted.Where(c => c.Subject == NotedSubject.Object).ToDictionary(c => c.SubjectId, c => c.At);
        Add(moved, said.Where(o => moved.ContainsKey(o.Key)).Select(o => (o.Key, o.Value)).ToList());
        List<NotedExtraction> extractions = [];
        var unmoved = said.Where(o => !moved.ContainsKey(o.Key)).ToList();
        if (unmoved.Count > 0)
        {
            var recounted = await db.RecountUnmovedObjectsAsync(
                project, Objects(unmoved), rules, cancellationToken);
            extractions.AddRange(recounted.Extractions);
            Add(moved, recounted.LeftOver.Select(id => (id, said[id])));
        }

        extractions.AddRange(await RecountInBatchesAsync(db, project, Objects(moved), cancellationToken));
        return extractions;

        static void Add(Dictionary<Guid, DateTimeOffset> objects, IEnumerable<(Guid Id, DateTimeOffset At)> more)
        {
            foreach (var (id, at) in more)
            {
                objects[id] = objects.TryGetValue(id, out var known) && known > at ? known : at;
            }
        }

        static NotedObject[] Objects(IEnumerable<KeyValuePair<Guid, DateTimeOffset>> objects) =>
            [.. objects.Select(o => new NotedObject(o.Key, o.Value))];
    }

    private async Task<FoldOutcome> CountAsync(
        NpgsqlConnection db, CountedProject project, int changes, CancellationToken cancellationToken)
    {
        // In this order: a change that is committed in between is counted now and once more when its row is folded.
        await db.ClearCountsAsync(project.ProjectId, cancellationToken);
        var (objects, areAll) = await db.ListObjectsAsync(project.ProjectId, FewRows, cancellationToken);
        if (areAll)
        {
            await db.PreferIndexesAsync(cancellationToken);
            await RecountExtractionsAsync(
                db, project, await RecountInBatchesAsync(db, project, objects, cancellationToken), cancellationToken);
        }
        else
        {
            await db.PreferHashJoinsAsync(cancellationToken);
            await db.CountProjectAsync(project, rules, cancellationToken);
        }

        await db.MarkFoldedAsync(project, rules, isComplete: true, cancellationToken);
        return new FoldOutcome(changes, IsComplete: true);
    }

    private async Task RecountExtractionsAsync(
        NpgsqlConnection db, CountedProject project, IReadOnlyCollection<NotedExtraction> extractions,
        CancellationToken cancellationToken)
    {
        // Objects of one extraction may have come in different batches.
        NotedExtraction[] distinct =
        [
            .. extractions.GroupBy(
                e => (e.JobId, e.ChunkId),
                (pair, same) => same.Aggregate((a, b) =>
                    b with { DocumentId = b.DocumentId ?? a.DocumentId, At = a.At > b.At ? a.At : b.At })),
        ];
        if (distinct.Length > 0)
        {
            await db.RecountExtractionsAsync(project, distinct, rules, cancellationToken);
        }
    }

    // The statement looks through what it has found so far for each of its objects: twice as many take four times as long.
    private async Task<List<NotedExtraction>> RecountInBatchesAsync(
        NpgsqlConnection db, CountedProject project, IReadOnlyCollection<NotedObject> objects,
        CancellationToken cancellationToken)
    {
        List<NotedExtraction> extractions = [];
        foreach (var batch in objects.Chunk(ObjectsOfStatement))
        {
            var recounted = await db.RecountObjectsAsync(project, batch, rules, cancellationToken);
            extractions.AddRange(recounted.Extractions);
        }

        return extractions;
    }
}
