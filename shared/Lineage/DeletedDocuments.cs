using Dapper;
using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Lineage;

/// <summary>What came of looking at documents that were deleted.</summary>
/// <param name="Looked">Notes that were taken from the log.</param>
/// <param name="Tainted">Models that have learnt from one of them and were not marked before.</param>
public readonly record struct DeletedDocumentsMarked(int Looked, int Tainted);

/// <summary>
/// Marks the models that have learnt from documents that the product has deleted: the log of deletions, in batches.
/// </summary>
public static class DeletedDocuments
{
    /// <summary>
    /// Takes the oldest notes, and marks in the same transaction. A document that is there taints nothing.
    /// </summary>
    public static async Task<DeletedDocumentsMarked> MarkDeletedAsync(
        this NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            with looked as (
                delete from ml.deleted_documents
                where  id in (
                    select id from ml.deleted_documents order by id limit @limit)
                returning document_id
            )
            select document_id
            from   looked
            """;

        if (!await db.ExecuteScalarAsync<bool>(Sql.Command(
            "select exists (select 1 from ml.deleted_documents)", null, cancellationToken)))
        {
            return default;
        }

        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        await db.LockForgettingAsync(cancellationToken);
        var noted = (await db.QueryAsync<Guid>(Sql.Command(sql, new { limit }, cancellationToken))).AsList();
        var gone = await db.ListGoneAsync([.. noted.Distinct()], cancellationToken);
        var tainted = gone.Length == 0 ? 0 : await db.TaintModelsAsync(gone, TaintCause.Deleted, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return new(noted.Count, tainted);
    }

    private static async Task<Guid[]> ListGoneAsync(
        this NpgsqlConnection db, Guid[] documents, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select n.id
            from   unnest(@documents) as n (id)
            where  not exists (select 1 from ml.live_documents() d where d.id = n.id)
            """;

        return [.. await db.QueryAsync<Guid>(Sql.Command(sql, new { documents }, cancellationToken))];
    }
}
