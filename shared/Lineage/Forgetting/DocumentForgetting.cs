using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>
/// Takes a document out of everything that this installation keeps of it. What was recorded goes on from rows, by
/// whoever calls next: the operator's command, or the sweep.
/// </summary>
public sealed class DocumentForgetting(
    NpgsqlDataSource database, IDatasetStore store, Failpoints failpoints, TimeProvider time)
{
    private const int BatchSize = 100;
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(4);

    private readonly DatasetRewrite _rewrite = new(store, failpoints, time);
    private readonly LeftoverFiles _leftovers = new(store, failpoints);

    /// <summary>
    /// From here on no export takes the document, its models are marked, and one that read it before is refused. A
    /// second time changes nothing.
    /// </summary>
    /// <param name="scope">Of the document; without a project when nobody knows it any more.</param>
    public async Task<ForgottenDocument> RecordAsync(
        Guid documentId, Scope scope, string actor, string reason, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await using (var tx = await db.BeginTransactionAsync(cancellationToken))
        {
            await db.LockForgettingAsync(cancellationToken);
            var now = time.GetUtcNow();
            if (await db.InsertForgottenAsync(documentId, scope, actor, reason, now, LookAgain, cancellationToken))
            {
                await db.AddAuditEntryAsync(
                    scope, actor, "forget-document", $"document {documentId}", reason, now, cancellationToken);
                await db.CountAnewAsync(scope, now, cancellationToken);
            }

            await db.TaintModelsAsync([documentId], TaintCause.Forgotten, cancellationToken);
            await db.ClearProblemsAsync(documentId, scope.OrganizationId, cancellationToken);
            await tx.CommitAsync(cancellationToken);
        }

        await failpoints.ReachAsync(ForgettingPoint.Recorded);
        return await GetAsync(db, documentId, cancellationToken);
    }

    /// <summary>Does what can be done now for a document that was recorded.</summary>
    /// <returns>As it is then: complete, or with what it waits for.</returns>
    /// <exception cref="DatasetStoreException">The store refused; a repeat goes on from there.</exception>
    public async Task<ForgottenDocument> ContinueAsync(Guid documentId, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var document = await GetAsync(db, documentId, cancellationToken);
        if (document.IsComplete)
        {
            return document;
        }

        // One at a time in an organization, by a lock of the connection: two would write the same files anew.
        await using var turn = await database.OpenConnectionAsync(cancellationToken);
        if (!await TakeTurnAsync(turn, document.OrganizationId, cancellationToken))
        {
            return document with { WaitsFor = "another worker forgets documents of this organization" };
        }

        try
        {
            await GoOnAsync(db, document, cancellationToken);
        }
        catch (DatasetStoreException e)
        {
            await db.PostponeForgettingAsync(documentId, e.Message, LookAgain, cancellationToken);
            throw;
        }
        finally
        {
            await using var release = new NpgsqlCommand("select pg_advisory_unlock_all()", turn);
            await release.ExecuteNonQueryAsync(CancellationToken.None);
        }

        return await GetAsync(db, documentId, cancellationToken);
    }

    private async Task GoOnAsync(NpgsqlConnection db, ForgottenDocument document, CancellationToken cancellationToken)
    {
        var (waits, waiting) = (new List<string>(), new List<Guid>());
        while (await db.ListHoldersAsync(
            document.DocumentId, document.OrganizationId, [.. waiting], BatchSize, cancellationToken) is { Count: > 0 } holders)
        {
            foreach (var dataset in holders)
            {
                if (await _rewrite.RunAsync(db, document, dataset, cancellationToken) is { } wait)
                {
                    waits.Add(wait);
                    waiting.Add(dataset);
                }
            }
        }

        await EraseAsync(db, document.DocumentId, cancellationToken);
        if (waits.Count == 0)
        {
            // A run from before may still write what it has read, or copy what it was about to send.
            waits.AddRange((await db.ListRunsFromBeforeAsync(document, cancellationToken)).Select(run =>
                $"run {run.Id} is {run.State}, and began before the document was forgotten"));
        }

        if (waits.Count > 0)
        {
            await db.PostponeForgettingAsync(
                document.DocumentId, string.Join("; ", waits), LookAgain, cancellationToken);
            return;
        }

        await _leftovers.EraseAsync(db, document.OrganizationId, cancellationToken);
        await db.CompleteForgettingAsync(document.DocumentId, cancellationToken);
    }

    private async Task EraseAsync(NpgsqlConnection db, Guid documentId, CancellationToken cancellationToken)
    {
        while (await db.ListObjectsToDeleteAsync(documentId, BatchSize, cancellationToken) is { Count: > 0 } objects)
        {
            foreach (var each in objects)
            {
                await store.EraseAsync(DatasetUri.NameIn(store, each.Uri), each.Generation, cancellationToken);
                await failpoints.ReachAsync(ForgettingPoint.FileErased);
                await db.StrikeOffAsync(each.Id, cancellationToken);
                await failpoints.ReachAsync(ForgettingPoint.FileStruckOff);
            }
        }
    }

    private static async Task<bool> TakeTurnAsync(
        NpgsqlConnection db, Guid organizationId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "select pg_try_advisory_lock(hashtextextended('ml.forgotten_documents/' || $1, 0))", db);
        command.Parameters.AddWithValue(organizationId.ToString());
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!; // one row
    }

    private static async Task<ForgottenDocument> GetAsync(
        NpgsqlConnection db, Guid documentId, CancellationToken cancellationToken) =>
        await db.FindForgottenAsync(documentId, cancellationToken)
        ?? throw new InvalidOperationException($"nobody has asked to forget document {documentId}");
}
