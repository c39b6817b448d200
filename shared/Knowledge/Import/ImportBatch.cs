using Npgsql;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>Lines that go in together, in one transaction.</summary>
internal sealed class ImportBatch(ImportOptions options)
{
    // Bounds for memory and for the length of one statement; a single line may exceed them.
    private const int MaxEntities = 20_000;
    private const int MaxRelationships = 40_000;
    private const long MaxBytes = 16 * 1024 * 1024;

    private readonly List<(long Number, ImportLine Line)> _lines = [];
    private long _entities;
    private long _relationships;
    private long _bytes;

    public bool IsEmpty => _lines.Count == 0;

    public bool IsFull =>
        _lines.Count >= options.LinesPerBatch || _entities >= MaxEntities || _relationships >= MaxRelationships
        || _bytes >= MaxBytes;

    public void Add(long number, ImportLine line, long bytes)
    {
        _lines.Add((number, line));
        _entities += line.Entities.Count;
        _relationships += line.Relationships.Count;
        _bytes += bytes;
    }

    public void Clear()
    {
        _lines.Clear();
        (_entities, _relationships, _bytes) = (0, 0, 0);
    }

    /// <summary>Writes the lines that are new and counts the others.</summary>
    public async Task WriteAsync(
        NpgsqlConnection db, ImportScope scope, ImportReport report, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        try
        {
            report.Add(await WriteAsync(db, scope, _lines, now, cancellationToken));
            return;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // The product wrote one of the keys at this moment, or has a rule of its own. Line by line shows which line it is.
            scope.ForgetProjects();
        }

        foreach (var line in _lines)
        {
            try
            {
                report.Add(await WriteAsync(db, scope, [line], now, cancellationToken));
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                scope.ForgetProjects();
                report.AddBroken(line.Number, $"the product refuses it, by '{e.ConstraintName}': {e.MessageText}");
            }
        }
    }

    private async Task<ImportReport> WriteAsync(
        NpgsqlConnection db, ImportScope scope, List<(long Number, ImportLine Line)> lines, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        var report = new ImportReport();
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        await db.LockImportAsync(scope.OrganizationId, cancellationToken);
        var placed = new List<PlacedLine>(lines.Count);
        foreach (var (number, line) in lines)
        {
            var project = await scope.ProjectAsync(db, line.Project, now, cancellationToken);
            placed.Add(PlacedLine.Create(number, line, project));
        }

        var added = await TakeNewAsync(db, placed, report, cancellationToken);
        var keyed = await KeyedLines.AssignAsync(db, added, report, cancellationToken);
        await WriteRowsAsync(db, scope.OrganizationId, keyed, report, now, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return report;
    }

    // The lock is held: what is unknown now is unknown until the commit.
    private static async Task<List<PlacedLine>> TakeNewAsync(
        NpgsqlConnection db, List<PlacedLine> lines, ImportReport report, CancellationToken cancellationToken)
    {
        var ids = lines.Select(l => l.ChunkId).Distinct().ToArray();
        var hashes = new Dictionary<Guid, string?>(await db.FindContentHashesAsync(ids, cancellationToken));
        var added = new List<PlacedLine>();
        foreach (var line in lines)
        {
            if (!hashes.TryGetValue(line.ChunkId, out var hash))
            {
                hashes.Add(line.ChunkId, line.Line.ContentSha256);
                added.Add(line);
            }
            else if (hash == line.Line.ContentSha256)
            {
                report.Unchanged++;
            }
            else
            {
                report.AddDifferent(
                    line.Number, $"chunk '{line.Line.ChunkId}' is known with other content, which stays as it is");
            }
        }

        return added;
    }

    private async Task WriteRowsAsync(
        NpgsqlConnection db, Guid organizationId, List<PlacedLine> lines, ImportReport report, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        if (lines.Count == 0)
        {
            return;
        }

        report.Added += lines.Count;
        var documents = lines.DistinctBy(l => l.DocumentId).Select(l => l.ToDocument()).ToList();
        report.Documents += await db.InsertDocumentsAsync(documents, now, cancellationToken);
        report.ReplacedChunks += await ImportedChunks.WriteAsync(db, lines, now, cancellationToken);
        await db.InsertJobsAsync(lines.ConvertAll(l => l.ToJob()), now, cancellationToken);

        var empty = lines.Where(l => l.Line.HoldsNothing).ToList();
        if (empty.Count > 0)
        {
            await db.InsertConfirmedEmptyAsync(
                organizationId, empty.ConvertAll(l => (l.JobId, l.ProjectId, l.ConfirmedBy(options))), now,
                cancellationToken);
            report.NothingToFind += empty.Count;
        }

        var objects = lines.SelectMany(l => l.ToObjects(options)).ToList();
        await db.InsertObjectsAsync(objects, now, cancellationToken);
        Count(objects, report);

        var relationships = lines.SelectMany(l => l.ToRelationships()).ToList();
        report.Relationships += await db.InsertRelationshipsAsync(relationships, now, cancellationToken);
    }

    private static void Count(List<ObjectRow> objects, ImportReport report)
    {
        report.Objects += objects.Count;
        foreach (var row in objects)
        {
            _ = row.Review switch
            {
                { Status: "rejected" } => report.Rejected++,
                { NeedsReview: true } => report.Pending++,
                { ReviewedBy: not null } => report.Reviewed++,
                _ => report.AutoAccepted++,
            };
        }
    }
}
