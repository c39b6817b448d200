using Dapper;
using FeedbackLoop.Examples;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Testing;

/// <summary>Builds rows of the product's tables. What a test does not say is an ordinary, verified case.</summary>
public sealed class KnowledgeRows(NpgsqlDataSource database)
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private int _count;

    /// <summary>A person who reviews.</summary>
    public static Guid Reviewer { get; } = Guid.Parse("00000000-0000-0000-0000-00000000beef");

    public async Task<Guid> AddOrganizationAsync()
    {
        var id = Guid.NewGuid();
        await ExecuteAsync("insert into kb.orgs (id, name) values (@id, 'org')", new { id });
        return id;
    }

    public async Task<Guid> AddProjectAsync(Guid organizationId)
    {
        var id = Guid.NewGuid();
        await ExecuteAsync(
            "insert into kb.projects (id, organization_id, name) values (@id, @organizationId, 'project')",
            new { id, organizationId });
        return id;
    }

    /// <param name="id">Decides with the seed on which side its examples stand; null: chance.</param>
    public async Task<Guid> AddDocumentAsync(Guid projectId, Guid? id = null)
    {
        id ??= Guid.NewGuid();
        await ExecuteAsync(
            "insert into kb.documents (id, project_id, filename) values (@id, @projectId, 'document')",
            new { id, projectId });
        return id.Value;
    }

    public async Task<Guid> AddChunkAsync(Guid documentId, string text, bool isDeleted = false)
    {
        var id = Guid.NewGuid();
        await ExecuteAsync(
            """
            insert into kb.chunks (id, document_id, chunk_index, text, deleted_at)
            values (@id, @documentId, @index, @text, case when @isDeleted then now() end)
            """,
            new { id, documentId, index = _count++, text, isDeleted });
        return id;
    }

    public async Task<Guid> AddJobAsync(
        Guid projectId, Guid? chunkId = null, Guid? documentId = null, string? sourceType = null,
        string? sourceId = null, string status = "completed")
    {
        var id = Guid.NewGuid();
        await ExecuteAsync(
            """
            insert into kb.object_extraction_jobs (id, project_id, chunk_id, document_id, source_type, source_id, status)
            values (@id, @projectId, @chunkId, @documentId, @sourceType, @sourceId, @status)
            """,
            new { id, projectId, chunkId, documentId, sourceType, sourceId, status });
        return id;
    }

    /// <summary>One row of a version chain.</summary>
    /// <returns>The row's id.</returns>
    public async Task<Guid> AddObjectAsync(Guid projectId, ObjectRow row)
    {
        var id = Guid.NewGuid();
        await ExecuteAsync(
            """
            insert into kb.graph_objects (
                id, project_id, canonical_id, version, supersedes_id, type, key, status, properties, labels, branch_id,
                deleted_at, extraction_job_id, extraction_confidence, needs_review, reviewed_by, actor_type, actor_id,
                created_at)
            values (
                @id, @projectId, @canonicalId, @Version, @SupersedesId, @Type, @Key, @Status, @properties::jsonb, @Labels,
                @BranchId, case when @IsDeleted then now() end, @JobId, @confidence, @NeedsReview, @reviewer, @Actor,
                @ActorId, @createdAt)
            """,
            new
            {
                id,
                projectId,
                canonicalId = row.CanonicalId ?? id,
                row.Version,
                row.SupersedesId,
                row.Type,
                row.Key,
                row.Status,
                properties = row.Properties
                    ?? $$"""{"name": "{{row.Name}}", "description": "{{row.Description}}"}""",
                row.BranchId,
                row.IsDeleted,
                row.JobId,
                confidence = (float?)row.Confidence,
                row.NeedsReview,
                row.Labels,
                row.Actor,
                row.ActorId,
                reviewer = row.IsReviewed ? row.ReviewedBy ?? Reviewer : (Guid?)null,
                createdAt = Start.AddDays(row.Version).UtcDateTime,
            });
        return id;
    }

    public async Task<Guid> AddRelationshipAsync(
        Guid projectId, Guid sourceId, Guid targetId, string type = "USES", int version = 1, Guid? canonicalId = null,
        bool isDeleted = false)
    {
        var id = Guid.NewGuid();
        await ExecuteAsync(
            """
            insert into kb.graph_relationships (id, project_id, canonical_id, version, type, src_id, dst_id, deleted_at)
            values (@id, @projectId, @canonicalId, @version, @type, @sourceId, @targetId,
                    case when @isDeleted then now() end)
            """,
            new
            {
                id,
                projectId,
                canonicalId = canonicalId ?? id,
                version,
                type,
                sourceId,
                targetId,
                isDeleted,
            });
        return id;
    }

    public Task AddEvidenceAsync(Guid objectId, Guid chunkId, Guid jobId) =>
        ExecuteAsync(
            """
            insert into kb.object_chunks (object_id, chunk_id, extraction_job_id, confidence)
            values (@objectId, @chunkId, @jobId, 0.8)
            """,
            new { objectId, chunkId, jobId });

    /// <summary>A project with so many documents of one chunk, each with one verified system that its text names.</summary>
    public async Task AddExamplesAsync(Guid projectId, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var document = await AddDocumentAsync(projectId);
            var chunk = await AddChunkAsync(
                document, $"The Ledger {i} books payments. It uses Kafka {i} for events in its part {_count}.");
            var job = await AddJobAsync(projectId, chunk);
            var system = await AddObjectAsync(projectId, new() { Name = $"Ledger {i}", JobId = job });
            var technology = await AddObjectAsync(
                projectId, new() { Name = $"Kafka {i}", Type = "Technology", JobId = job });
            await AddRelationshipAsync(projectId, system, technology);
        }
    }

    /// <summary>
    /// One document that trains, with so many texts of one verified object each: none of them is left out for what else
    /// validates.
    /// </summary>
    /// <param name="seeds">Further ones beside the usual.</param>
    public async Task AddTrainingTextsAsync(Guid projectId, IEnumerable<string> texts, params long[] seeds)
    {
        long[] all = [new ExportCriteria().Seed, .. seeds];
        var id = Guid.NewGuid();
        while (all.Any(seed =>
            DocumentSplit.SideOf(seed, id, testShare: 0.5, validationShare: 0.23) != DocumentSplit.Train))
        {
            id = Guid.NewGuid();
        }

        await AddDocumentAsync(projectId, id);
        foreach (var text in texts)
        {
            await AddObjectAsync(projectId, new() { JobId = await AddJobAsync(projectId, await AddChunkAsync(id, text)) });
        }
    }

    public async Task ExecuteAsync(string sql, object args)
    {
        await using var db = await database.OpenConnectionAsync();
        await db.ExecuteAsync(new CommandDefinition(sql, args));
    }
}

/// <summary>One version of an object.</summary>
public sealed record ObjectRow
{
    /// <summary>Null: the row's own id, as the newer generation of the product has it for version 1.</summary>
    public Guid? CanonicalId { get; init; }

    public int Version { get; init; } = 1;
    public Guid? SupersedesId { get; init; }
    public string Type { get; init; } = "System";
    public string? Key { get; init; }
    public string? Status { get; init; } = "accepted";
    public string Name { get; init; } = "Ledger";
    public string Description { get; init; } = "It books every payment of the bank.";

    /// <summary>Instead of name and description: the whole JSON.</summary>
    public string? Properties { get; init; }

    public Guid? BranchId { get; init; }
    public bool IsDeleted { get; init; }
    public Guid? JobId { get; init; }
    public double? Confidence { get; init; }
    public bool NeedsReview { get; init; }
    public string[] Labels { get; init; } = [];
    public bool IsReviewed { get; init; } = true;

    /// <summary>Null: <see cref="KnowledgeRows.Reviewer"/>.</summary>
    public Guid? ReviewedBy { get; init; }

    public Guid? ActorId { get; init; }

    /// <summary>Who wrote the version: <c>user</c>, <c>agent</c> or <c>system</c>.</summary>
    public string Actor { get; init; } = "user";
}
