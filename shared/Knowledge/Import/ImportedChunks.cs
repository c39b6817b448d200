using Npgsql;

namespace FeedbackLoop.Knowledge.Import;

/// <summary>
/// Puts new chunks into their documents. The chunks of a document's highest revision are live, those of earlier ones
/// deleted, in whatever order the revisions arrive.
/// </summary>
internal static class ImportedChunks
{
    /// <returns>How many chunks a later revision replaced: live ones of before, and new ones that came late.</returns>
    public static async Task<int> WriteAsync(
        NpgsqlConnection db, List<PlacedLine> lines, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var documentIds = lines.Select(l => l.DocumentId).Distinct().ToArray();
        var states = await db.FindDocumentStatesAsync(documentIds, cancellationToken);
        var rows = new List<Chunk>(lines.Count);
        var replaced = 0;
        foreach (var document in lines.GroupBy(l => l.DocumentId))
        {
            var state = states.GetValueOrDefault(document.Key);
            var revision = Math.Max(document.Max(l => l.Line.Revision), state?.Revision ?? 1);
            var live = document.Where(l => l.Line.Revision == revision).ToList();
            var late = document.Where(l => l.Line.Revision < revision).ToList();
            replaced += late.Count;
            rows.AddRange(late.Select((l, index) => ToChunk(l, index, now)));
            if (state is not null && revision > state.Revision)
            {
                replaced += await db.ReplaceChunksAsync(
                    document.Key, live.ConvertAll(ToNewChunk), now, cancellationToken);
            }
            else
            {
                var next = state?.NextIndex ?? 0;
                rows.AddRange(live.Select((l, index) => ToChunk(l, next + index, deletedAt: null)));
            }
        }

        await db.InsertChunksAsync(rows, now, cancellationToken);
        return replaced;
    }

    private static NewChunk ToNewChunk(PlacedLine line) => new(line.ChunkId, line.Line.Text, Metadata(line.Line));

    private static Chunk ToChunk(PlacedLine line, int index, DateTimeOffset? deletedAt) =>
        new(line.ChunkId, line.DocumentId, index, line.Line.Text, Metadata(line.Line), deletedAt);

    private static string Metadata(ImportLine line) => EntityProperties.Write(
        [
            ("externalId", line.ChunkId),
            ("contentSha256", line.ContentSha256),
            ("importRevision", $"{line.Revision}"),
        ],
        more: null);
}
