using System.Collections.Concurrent;
using FeedbackLoop.Datasets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>The part of the sweep that deletes what exports have stored and never recorded.</summary>
internal sealed partial class LeftoverSweep(
    NpgsqlDataSource database, IDatasetStore store, IOptions<SweepOptions> options, ILogger<LeftoverSweep> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromHours(1);

    /// <returns>Folders that are empty now.</returns>
    public async Task<int> DeleteAsync(List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<UnrecordedExport> left;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            left = await db.ListLeftoverExportsAsync(
                options.Value.LeftoverAge, options.Value.BatchSize, cancellationToken);
        }

        var failed = new ConcurrentQueue<Exception>();
        var bound = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.Value.Parallelism,
            CancellationToken = cancellationToken,
            TaskScheduler = TaskScheduler.Current,
        };
        await Parallel.ForEachAsync(left, bound, async (export, token) =>
        {
            try
            {
                await DeleteAsync(export, token);
            }
            catch (Exception e) when (!token.IsCancellationRequested)
            {
                LogKept(e, export.Uri, export.RunId.Value);
                failed.Enqueue(e);
                await using var db = await database.OpenConnectionAsync(token);
                await db.PostponeLeftoverExportAsync(export, Pause, e.Message, token);
            }
        });
        failures.AddRange(failed);
        return left.Count - failed.Count;
    }

    // The row goes last: whoever dies in between does all of it again.
    private async Task DeleteAsync(UnrecordedExport export, CancellationToken cancellationToken)
    {
        var folder = DatasetUri.NameOf(export.Uri);
        foreach (var file in DatasetFiles.All)
        {
            await store.DeleteAsync(folder + file, generation: null, cancellationToken);
        }

        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await db.DeleteUnrecordedExportAsync(export.RunId, export.Epoch, cancellationToken);
    }

    [LoggerMessage(
        Level = LogLevel.Error, Message = "Files in {Uri}, which run {RunId} did not record, could not be deleted")]
    private partial void LogKept(Exception exception, string uri, Guid runId);
}
