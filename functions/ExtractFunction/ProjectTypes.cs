using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Extract;

/// <summary>
/// The types of a project, from memory for half a minute: where they are those in use, the query reads every object of the
/// project, and a document has hundreds of chunks.
/// </summary>
internal sealed class ProjectTypes(
    NpgsqlDataSource database, IMemoryCache cache, IOptions<VerificationOptions> verification)
{
    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(30);

    public async Task<ExtractionTypes> GetAsync(Guid projectId, CancellationToken cancellationToken)
    {
        if (cache.TryGetValue(projectId, out ExtractionTypes? known) && known is not null)
        {
            return known;
        }

        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var types = (await db.ListTypesAsync([projectId], verification.Value, cancellationToken))[projectId];
        return cache.Set(
            projectId, types, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = Freshness, Size = 1 });
    }
}
