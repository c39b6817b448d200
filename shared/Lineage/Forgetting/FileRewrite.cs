using FeedbackLoop.Datasets;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>A file of a dataset that was written anew without some of its lines.</summary>
/// <param name="File">One of <see cref="DatasetFiles"/>.</param>
/// <param name="OldUri">Where it was.</param>
/// <param name="OldGeneration">Null in datasets from before it was recorded.</param>
/// <param name="Stored">Where it is now; an empty file when nothing is left.</param>
/// <param name="Examples">Lines that are left.</param>
/// <param name="BytesBefore">Of the old one, as its row has it.</param>
internal sealed record RewrittenFile(
    string File, string OldUri, long? OldGeneration, StoredFile Stored, int Examples, long BytesBefore, RemovedExamples Removed);

/// <summary>Reads a stored file and writes it anew, line by line, without what must not be in it.</summary>
internal static class FileRewrite
{
    private const string JsonLinesType = "application/jsonl";

    /// <param name="source">Name of the stored file.</param>
    /// <param name="target">Name of the new one. What an earlier try left there is replaced.</param>
    /// <param name="isGone">Whether a line goes; null stands for one that nobody can read.</param>
    /// <exception cref="DatasetStoreException">The store refused.</exception>
    public static async Task<(StoredFile Stored, int Examples, RemovedExamples Removed)> WriteAsync(
        IDatasetStore store, string source, string target, Func<StoredExample?, bool> isGone, CancellationToken cancellationToken)
    {
        for (var isRepeat = false; ; isRepeat = true)
        {
            var (examples, removed) = (0, new RemovedExamples());
            await using var content = await store.OpenReadAsync(source, generation: null, cancellationToken);
            await using var file = await store.CreateAsync(target, JsonLinesType, cancellationToken);
            await foreach (var line in JsonLines.ReadAsync(content, cancellationToken))
            {
                var example = StoredExample.TryRead(line);
                if (isGone(example))
                {
                    removed.Add(example);
                    continue;
                }

                examples++;
                foreach (var part in line)
                {
                    await file.Content.WriteAsync(part, cancellationToken);
                }
            }

            try
            {
                return (await file.CommitAsync(cancellationToken), examples, removed);
            }
            catch (DatasetConflictException) when (!isRepeat)
            {
                // An earlier try died before its dataset was recorded, and the dataset has lost other lines since.
                await store.EraseAsync(target, newest: null, cancellationToken);
            }
        }
    }
}
