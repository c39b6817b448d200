using System.Globalization;
using System.Text.RegularExpressions;
using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>
/// Examples in storage that no row names: files of an export that died, copies for a call that was never recorded. Of a
/// run that is over nobody needs them, and nobody can tell whose examples they hold.
/// </summary>
internal sealed partial class LeftoverFiles(IDatasetStore store, Failpoints failpoints)
{
    private const int BatchSize = 500;

    /// <returns>How many were erased.</returns>
    /// <exception cref="DatasetStoreException">The store refused.</exception>
    public async Task<int> EraseAsync(NpgsqlConnection db, Guid organizationId, CancellationToken cancellationToken)
    {
        var (erased, batch) = (0, new List<(string Name, long Version)>(BatchSize));

        // Every folder of an organization begins so, see Scope.DatasetFolder.
        await foreach (var name in store.ListAsync($"orgs/{organizationId}/", cancellationToken))
        {
            if (name.Contains(".jsonl", StringComparison.Ordinal) && VersionFolder().Match(name) is { Success: true } folder
                && long.TryParse(folder.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var version))
            {
                batch.Add((name, version));
            }

            if (batch.Count == BatchSize)
            {
                erased += await EraseAsync(db, organizationId, batch, cancellationToken);
                batch.Clear();
            }
        }

        return erased + await EraseAsync(db, organizationId, batch, cancellationToken);
    }

    private async Task<int> EraseAsync(
        NpgsqlConnection db, Guid organizationId, List<(string Name, long Version)> batch, CancellationToken cancellationToken)
    {
        var live = await db.ListLiveVersionsAsync(
            organizationId, [.. batch.Select(file => file.Version).Distinct()], cancellationToken);
        var named = await db.ListNamedAsync(
            organizationId, [.. batch.Select(file => store.UriOf(file.Name))], cancellationToken);
        var leftovers = batch
            .Where(file => !live.Contains(file.Version) && !named.Contains(store.UriOf(file.Name)))
            .Select(file => file.Name)
            .ToList();
        foreach (var name in leftovers)
        {
            await store.EraseAsync(name, newest: null, cancellationToken);
            await failpoints.ReachAsync(ForgettingPoint.LeftoverErased);
        }

        return leftovers.Count;
    }

    [GeneratedRegex("/v([0-9]{1,18})/", RegexOptions.NonBacktracking)]
    private static partial Regex VersionFolder();
}
