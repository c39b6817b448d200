using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Local;

/// <summary>What became of an extraction job.</summary>
/// <param name="Objects">In the knowledge tables.</param>
/// <param name="Tier">Of the model that answered; null before there is an answer.</param>
internal sealed record ExtractionState(
    string Status, long Objects, int Relationships, long NeedReview, string? Tier, int? Version, int? LatencyMs,
    string? Problem)
{
    public bool IsOver => Status is "completed" or "requires_review" or "failed";
}

/// <summary>In place of the product: a new document of one chunk, and the job that has it extracted.</summary>
internal static class NewExtraction
{
    /// <param name="project">Gets the document.</param>
    /// <returns>The job.</returns>
    public static async Task<Guid> AddAsync(
        NpgsqlDataSource database, Guid project, string text, CancellationToken cancellationToken)
    {
        const string sql =
            """
            with document as (
                insert into kb.documents (project_id, filename, mime_type)
                values (@project, 'new.txt', 'text/plain')
                returning id, project_id
            ),
            chunk as (
                insert into kb.chunks (document_id, chunk_index, text)
                select id, 0, @text
                from   document
                returning id, document_id
            )
            insert into kb.object_extraction_jobs (project_id, document_id, chunk_id, source_type, source_id)
            select d.project_id, d.id, c.id, 'document', d.id::text
            from   chunk c
            join   document d on d.id = c.document_id
            returning id
            """;

        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.ExecuteScalarAsync<Guid>(Sql.Command(sql, new { project, text }, cancellationToken));
    }

    public static async Task<ExtractionState?> ReadAsync(
        NpgsqlDataSource database, Guid job, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select j.status, count(o.id) as objects, j.relationships_created as relationships,
                   count(o.id) filter (where o.needs_review) as need_review, r.answered_tier as tier,
                   r.answered_version as version, r.latency_ms, ', because ' || j.error_message as problem
            from   kb.object_extraction_jobs j
            left   join kb.graph_objects o on o.extraction_job_id = j.id
            left   join ml.extraction_results r on r.job_id = j.id
            where  j.id = @job
            group  by j.id, r.id
            """;

        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.QuerySingleOrDefaultAsync<ExtractionState>(Sql.Command(sql, new { job }, cancellationToken));
    }
}
