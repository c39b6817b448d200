using FeedbackLoop.Lineage;
using FeedbackLoop.Lineage.Forgetting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>
/// The parts of the sweep that go by documents: those that the product has deleted mark models, and those that an
/// operator had forgotten are taken out of what still holds them. What does not fit is left to the next sweep.
/// </summary>
internal sealed partial class DocumentSweep(
    NpgsqlDataSource database,
    DocumentForgetting forgetting,
    TimeProvider time,
    IOptions<SweepOptions> options,
    ILogger<DocumentSweep> logger)
{
    // A deleted project leaves a note for each of its documents.
    private const int DeletionBatch = 1_000;
    private const int MostForgettings = 20;

    /// <returns>Models that are tainted since.</returns>
    public async Task<int> MarkDeletedAsync(CancellationToken cancellationToken)
    {
        var (tainted, start) = (0, time.GetTimestamp());
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        for (var looked = DeletionBatch; looked == DeletionBatch && time.GetElapsedTime(start) < options.Value.DocumentTime;)
        {
            var batch = await db.MarkDeletedAsync(DeletionBatch, cancellationToken);
            (looked, tainted) = (batch.Looked, tainted + batch.Tainted);
        }

        if (tainted > 0)
        {
            LogTainted(tainted);
        }

        return tainted;
    }

    /// <returns>Documents that are forgotten since.</returns>
    public async Task<int> ForgetAsync(List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<Guid> open;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            open = await db.ListOpenForgettingsAsync(MostForgettings, cancellationToken);
        }

        var (completed, start) = (0, time.GetTimestamp());
        foreach (var document in open.TakeWhile(_ => time.GetElapsedTime(start) < options.Value.DocumentTime))
        {
            try
            {
                var now = await forgetting.ContinueAsync(document, cancellationToken);
                completed += now.IsComplete ? 1 : 0;
                LogForgotten(document, now.WaitsFor ?? "complete");
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                LogFailed(e, document);
                failures.Add(e);
            }
        }

        return completed;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Models} models have learnt from documents that the product has deleted, and are tainted")]
    private partial void LogTainted(int models);

    [LoggerMessage(Level = LogLevel.Information, Message = "Document {DocumentId} is being forgotten: {State}")]
    private partial void LogForgotten(Guid documentId, string state);

    [LoggerMessage(Level = LogLevel.Error, Message = "Document {DocumentId} could not be taken out of all files")]
    private partial void LogFailed(Exception exception, Guid documentId);
}
