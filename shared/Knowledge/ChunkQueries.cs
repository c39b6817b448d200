using System.Runtime.CompilerServices;
using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>A row of <c>kb.chunks</c>.</summary>
/// <param name="DeletedAt">When a later processing of the document replaced the chunk; null for a live one.</param>
public sealed record Chunk(
    Guid Id, Guid DocumentId, int ChunkIndex, string Text, string? MetadataJson, DateTimeOffset? DeletedAt);

/// <summary>A chunk to be added; its index follows from its place.</summary>
public sealed record NewChunk(Guid Id, string Text, string MetadataJson);

/// <summary>Every statement that touches <c>kb.chunks</c> alone.</summary>
public static class ChunkQueries
{
    /// <summary>
    /// Marks the live chunks of a document deleted and adds the new ones, with indexes from 0, in one statement: nobody
    /// ever sees the document without chunks. What was extracted from the old chunks stays.
    /// </summary>
    /// <returns>How many chunks were marked deleted.</returns>
    public static Task<int> ReplaceChunksAsync(
        this NpgsqlConnection db, Guid documentId, IReadOnlyList<NewChunk> newChunks, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        // The count makes the insert wait for the update: the unique index allows one live chunk per index.
        const string sql =
            """
            with deleted as (
                update kb.chunks
                set    deleted_at = @now,
                       updated_at = @now
                where  document_id = @documentId
                and    deleted_at is null
                returning 1
            ), total as (
                select count(*)::int as count from deleted
            ), added as (
                insert into kb.chunks (id, document_id, chunk_index, text, metadata, created_at, updated_at)
                select n.id, @documentId, n.ordinality - 1, n.text, n.metadata::jsonb, @now, @now
                from   unnest(@ids, @texts, @metadata) with ordinality as n (id, text, metadata, ordinality)
                where  (select count from total) >= 0
            )
            select count from total
            """;

        var args = new
        {
            documentId,
            ids = newChunks.Select(c => c.Id).ToArray(),
            texts = newChunks.Select(c => c.Text).ToArray(),
            metadata = newChunks.Select(c => c.MetadataJson).ToArray(),
            now,
        };
        return db.ExecuteScalarAsync<int>(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>The chunks of a document in their order, live ones before deleted ones.</summary>
    /// <param name="includeDeleted">For training only: a verified object outlives the chunk that it came from.</param>
    public static async IAsyncEnumerable<Chunk> StreamChunksAsync(
        this NpgsqlConnection db, Guid documentId, bool includeDeleted,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, document_id as DocumentId, chunk_index as ChunkIndex, text, metadata::text as MetadataJson,
                   deleted_at as DeletedAt
            from   kb.chunks
            where  document_id = @documentId
            and    (deleted_at is null or @includeDeleted)
            order  by deleted_at desc nulls first, chunk_index, id
            """;

        var chunks = db.QueryUnbufferedAsync<Chunk>(sql, new { documentId, includeDeleted });
        await foreach (var chunk in chunks.WithCancellation(cancellationToken))
        {
            yield return chunk;
        }
    }

    /// <summary>Adds chunks as they are. One whose id exists is left alone.</summary>
    public static Task InsertChunksAsync(
        this NpgsqlConnection db, IReadOnlyList<Chunk> chunks, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into kb.chunks (id, document_id, chunk_index, text, metadata, deleted_at, created_at, updated_at)
            select n.id, n.document_id, n.chunk_index, n.text, n.metadata::jsonb, n.deleted_at, @now, @now
            from   unnest(@ids, @documentIds, @indexes, @texts, @metadata, @deletedAt)
                   as n (id, document_id, chunk_index, text, metadata, deleted_at)
            on     conflict (id) do nothing
            """;

        var args = new
        {
            ids = chunks.Select(c => c.Id).ToArray(),
            documentIds = chunks.Select(c => c.DocumentId).ToArray(),
            indexes = chunks.Select(c => c.ChunkIndex).ToArray(),
            texts = chunks.Select(c => c.Text).ToArray(),
            metadata = chunks.Select(c => c.MetadataJson ?? "{}").ToArray(),
            deletedAt = chunks.Select(c => c.DeletedAt?.UtcDateTime).ToArray(),
            now,
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }
}
