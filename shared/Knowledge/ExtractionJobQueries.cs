using Dapper;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge.Import;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>A row of <c>kb.object_extraction_jobs</c> with the chunk that it is about.</summary>
/// <param name="ChunkId">Null when the job names no live chunk of its project, or a document with more than one.</param>
/// <param name="Chunks">Live chunks that the job names.</param>
public sealed record ExtractionJob(
    Guid Id, Guid OrganizationId, Guid ProjectId, string Status, string[] EnabledTypes, string? JobConfigurationJson,
    string? ProjectConfigurationJson, int RetryCount, int MaxRetries, Guid? ChunkId, string? Text, int Chunks)
{
    /// <summary>Both generations of the product have their words.</summary>
    public bool IsOver => Status is "completed" or "requires_review" or "failed" or "cancelled" or "dead_letter";
}

/// <summary>Every statement with which an extraction worker touches the product's tables.</summary>
public static class ExtractionJobQueries
{
    /// <returns>Null when there is no such job, or its project is deleted.</returns>
    public static Task<ExtractionJob?> FindExtractionJobAsync(
        this NpgsqlConnection db, Guid id, CancellationToken cancellationToken)
    {
        // A branch for each way to name a chunk: one condition for both would read every chunk there is.
        const string sql =
            """
            select j.id, p.organization_id, j.project_id, j.status, j.enabled_types,
                   j.extraction_config::text as job_configuration_json,
                   p.extraction_config::text as project_configuration_json, j.retry_count, j.max_retries,
                   case when c.chunks = 1 then c.id end as chunk_id, case when c.chunks = 1 then c.text end as text,
                   coalesce(c.chunks, 0) as chunks
            from   kb.object_extraction_jobs j
            join   kb.projects p on p.id = j.project_id and p.deleted_at is null
            cross  join lateral (
                       select case when j.source_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                                   then j.source_id::uuid end as source_id) s
            cross  join lateral (
                       select coalesce(j.chunk_id, case when j.source_type = 'chunk' then s.source_id end) as chunk_id,
                              coalesce(j.document_id, case when j.source_type = 'document' then s.source_id end)
                                  as document_id) n
            left   join lateral (
                       select u.id, u.text, count(*) over ()::int as chunks
                       from   (select c.id, c.text, c.document_id, c.deleted_at
                               from   kb.chunks c
                               where  c.id = n.chunk_id
                               union  all
                               select c.id, c.text, c.document_id, c.deleted_at
                               from   kb.chunks c
                               where  n.chunk_id is null
                               and    c.document_id = n.document_id) u
                       join   kb.documents d on d.id = u.document_id and d.project_id = j.project_id
                       where  u.deleted_at is null
                       limit  1) c on true
            where  j.id = @id
            """;

        return db.QuerySingleOrDefaultAsync<ExtractionJob>(Sql.Command(sql, new { id }, cancellationToken));
    }

    /// <summary>Notes that a worker is at it. Two may be: what they store is stored once.</summary>
    public static Task MarkExtractingAsync(
        this NpgsqlConnection db, Guid id, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update kb.object_extraction_jobs
            set    status     = case when status in ('queued', 'running') then 'running' else 'processing' end,
                   started_at = coalesce(started_at, @now),
                   updated_at = @now
            where  id = @id
            and    status not in ('completed', 'requires_review', 'failed', 'cancelled', 'dead_letter')
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { id, now }, cancellationToken));
    }

    /// <summary>Notes a failed attempt; the last of its retries ends the job.</summary>
    /// <param name="isFinal">Another attempt could not do better.</param>
    /// <returns>Whether the job is over.</returns>
    public static Task<bool> MarkExtractionFailedAsync(
        this NpgsqlConnection db, Guid id, string reason, bool isFinal, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update kb.object_extraction_jobs
            set    status        = case when @isFinal or retry_count >= max_retries then 'failed' else status end,
                   completed_at  = case when @isFinal or retry_count >= max_retries then @now end,
                   retry_count   = case when @isFinal then retry_count else retry_count + 1 end,
                   error_message = @reason,
                   updated_at    = @now
            where  id = @id
            and    status not in ('completed', 'requires_review', 'failed', 'cancelled', 'dead_letter')
            returning status = 'failed'
            """;

        return db.ExecuteScalarAsync<bool>(Sql.Command(sql, new { id, reason, isFinal, now }, cancellationToken));
    }

    /// <summary>
    /// Ends a job with what was found. To be called in the transaction that records which model found it.
    /// </summary>
    /// <param name="debugJson">For the job's row: which model answered.</param>
    /// <returns>False when the job was ended meanwhile; nothing was written.</returns>
    public static async Task<bool> StoreExtractionAsync(
        this NpgsqlConnection db, ExtractionJob job, AcceptedExtraction found, string debugJson, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string bind = "select set_config('app.current_project_id', @projectId, true)";
        const string end =
            """
            update kb.object_extraction_jobs
            set    status                = case when @needsReview then 'requires_review' else 'completed' end,
                   objects_created       = @objects,
                   relationships_created = @relationships,
                   total_items           = 1,
                   processed_items       = 1,
                   successful_items      = 1,
                   created_objects       = to_jsonb(@ids),
                   debug_info            = @debugJson::jsonb,
                   error_message         = null,
                   completed_at          = @now,
                   updated_at            = @now
            where  id = @Id
            and    status not in ('completed', 'requires_review', 'failed', 'cancelled', 'dead_letter')
            """;

        await db.ExecuteAsync(Sql.Command(bind, new { projectId = $"{job.ProjectId}" }, cancellationToken));
        Guid[] ids = [.. found.Entities.Select(_ => Guid.CreateVersion7(now))];
        var args = new
        {
            job.Id,
            needsReview = found.Entities.Any(entity => entity.NeedsReview),
            objects = ids.Length,
            relationships = found.Relationships.Count,
            ids,
            debugJson,
            now,
        };
        if (await db.ExecuteAsync(Sql.Command(end, args, cancellationToken)) == 0)
        {
            return false;
        }

        var keys = await BusinessKeys.ReadAsync(
            db, [.. found.Entities.Select(each => KeyOf(job, each.Entity)).OfType<BusinessKey>()], cancellationToken);
        await db.InsertObjectsAsync(
            [.. found.Entities.Zip(ids, (entity, id) => ToRow(job, entity, id, keys))], now, cancellationToken);
        await db.InsertRelationshipsAsync(
            [.. found.Relationships.Select(each => new RelationshipRow(
                Guid.CreateVersion7(now), job.ProjectId, each.Type, ids[each.Source], ids[each.Target],
                EntityProperties.Write(each.Description is { } text ? [("description", text)] : [], more: null)))],
            now, cancellationToken);
        return true;
    }

    private static BusinessKey? KeyOf(ExtractionJob job, AnsweredEntity entity) =>
        entity.BusinessKey is { Length: > 0 and <= ExtractionRules.LongestKey } key
            ? new(job.ProjectId, entity.Type, key)
            : null;

    private static ObjectRow ToRow(
        ExtractionJob job, AcceptedEntity accepted, Guid id, BusinessKeys keys)
    {
        var entity = accepted.Entity;
        var isFree = KeyOf(job, entity) is { } wanted && keys.Take(wanted);
        List<(string Name, string Value)> pairs = [("name", entity.Name), ("description", entity.Description)];
        if (entity.BusinessKey is { } key && !isFree)
        {
            pairs.Add((BusinessKeys.Member, key));
        }

        using var properties = System.Text.Json.JsonDocument.Parse(entity.PropertiesJson);
        return new(
            id, job.ProjectId, job.Id, job.ChunkId!.Value, entity.Type, isFree ? entity.BusinessKey : null, // has one, or it would have failed
            EntityProperties.Write([.. pairs], properties.RootElement),
            new ObjectReview(
                accepted.NeedsReview ? "draft" : "accepted", (float)accepted.Confidence, ReviewedBy: null));
    }
}
