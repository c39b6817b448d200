using System.Security.Cryptography;
using System.Text;
using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Npgsql;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>
/// Takes a document out of one dataset: new files first, then the rows in one transaction; what is old goes after that.
/// </summary>
internal sealed class DatasetRewrite(IDatasetStore store, Failpoints failpoints, TimeProvider time)
{
    private const string Actor = "system:forget";

    /// <returns>What has to end first, for people; null when the dataset is without the document.</returns>
    /// <exception cref="DatasetStoreException">The store refused.</exception>
    public async Task<string?> RunAsync(
        NpgsqlConnection db, ForgottenDocument document, Guid datasetId, CancellationToken cancellationToken)
    {
        var dataset = await db.FindDatasetAsync(datasetId, cancellationToken)
            ?? throw new InvalidOperationException($"dataset {datasetId} has examples and no row");
        var run = await db.FindRunAsync(dataset.RunId, cancellationToken)
            ?? throw new InvalidOperationException($"dataset {datasetId} has no run");
        if (await WaitsForAsync(db, dataset, run.State, cancellationToken) is { } wait)
        {
            return wait;
        }

        var examples = await db.CountExamplesAsync(dataset.Id, document.DocumentId, cancellationToken);
        var remaining = await db.ReadRemainingAsync(dataset.Id, document.DocumentId, cancellationToken);
        var files = new List<RewrittenFile>();
        foreach (var file in StoredFiles(dataset).Where(file => examples.ContainsKey(file.Split)))
        {
            if (await WriteAsync(dataset, document, file, remaining, cancellationToken) is { } written)
            {
                files.Add(written);
            }
        }

        var metadata = files.Count == 0 ? null : await WriteMetadataAsync(db, dataset, files, cancellationToken);
        return await RecordAsync(db, document, dataset, files, metadata, cancellationToken);
    }

    private static async Task<string?> WaitsForAsync(
        NpgsqlConnection db, Dataset dataset, string state, CancellationToken cancellationToken) =>
        ForgettingRule.WaitsFor(
            dataset.RunId, state, await db.ListAttemptsAsync(dataset.RunId, cancellationToken));

    private static IEnumerable<DataFile> StoredFiles(Dataset dataset)
    {
        yield return new(
            DatasetFiles.Train, "train", dataset.TrainUri, dataset.TrainGeneration, dataset.TrainBytes);
        if (dataset.ValidationUri is { } validation)
        {
            yield return new(
                DatasetFiles.Validation, "validation", validation, dataset.ValidationGeneration, dataset.ValidationBytes ?? 0);
        }

        if (dataset.TestUri is { } test)
        {
            yield return new(DatasetFiles.Test, "test", test, dataset.TestGeneration, dataset.TestBytes ?? 0);
        }
    }

    // A line of which nobody can tell whose it is goes as well: it may be the document's.
    private async Task<RewrittenFile?> WriteAsync(
        Dataset dataset, ForgottenDocument document, DataFile file, HashSet<ulong> remaining,
        CancellationToken cancellationToken)
    {
        var source = DatasetUri.NameIn(store, file.Uri);
        if (!await store.ListAsync(source, cancellationToken).ContainsAsync(source, cancellationToken: cancellationToken))
        {
            // Kept for a limited time, and that is over: there is nothing to take the document out of.
            return null;
        }

        var target = $"{FolderOf(dataset)}{MarkOf(dataset.Id, document.DocumentId)}/{file.Name}";
        var (stored, left, removed) = await FileRewrite.WriteAsync(
            store, source, target, example => example is null || !remaining.Contains(example.Key), cancellationToken);
        await failpoints.ReachAsync(ForgettingPoint.FileWritten);
        return new(file.Name, file.Uri, file.Generation, stored, left, file.Bytes, removed);
    }

    private string FolderOf(Dataset dataset) => DatasetUri.NameIn(store, dataset.Uri).TrimEnd('/') + "/";

    // The same for the same document, so that a repeat meets what it left. The document's id stays out of the name.
    private static string MarkOf(Guid dataset, Guid document) => "rewritten-" + Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{dataset:N}/{document:N}")))[..12];

    private async Task<DatasetMetadata?> WriteMetadataAsync(
        NpgsqlConnection db, Dataset dataset, List<RewrittenFile> files, CancellationToken cancellationToken)
    {
        // Rows that a test or a person made may have no statistics.
        if (await db.GetMetadataAsync(dataset.Id, cancellationToken) is not { Counts: not null, Averages: not null } before)
        {
            return null;
        }

        // Under its old name: nobody reads it but people, and it says nothing that the row does not.
        var metadata = RewrittenMetadata.Of(before, files);
        for (var isRepeat = false; ; isRepeat = true)
        {
            await using var file = await store.CreateAsync(
                FolderOf(dataset) + DatasetFiles.Metadata, "application/json", cancellationToken);
            await file.Content.WriteAsync(metadata.ToJson(), cancellationToken);
            try
            {
                await file.CommitAsync(cancellationToken);
                await failpoints.ReachAsync(ForgettingPoint.MetadataWritten);
                return metadata;
            }
            catch (DatasetConflictException) when (!isRepeat)
            {
                await store.EraseAsync(FolderOf(dataset) + DatasetFiles.Metadata, newest: null, cancellationToken);
                await failpoints.ReachAsync(ForgettingPoint.MetadataErased);
            }
        }
    }

    private async Task<string?> RecordAsync(
        NpgsqlConnection db, ForgottenDocument document, Dataset dataset, List<RewrittenFile> files, DatasetMetadata? metadata,
        CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var state = await db.LockRunAsync(dataset.RunId, cancellationToken);
        if (await WaitsForAsync(db, dataset, state, cancellationToken) is { } wait)
        {
            return wait;
        }

        var rewritten = Apply(dataset, files);
        if (!await db.RewriteDatasetAsync(
            dataset, rewritten, metadata is null ? null : Encoding.UTF8.GetString(metadata.ToJson()), cancellationToken))
        {
            throw new InvalidOperationException($"dataset {dataset.Id} was rewritten by somebody else meanwhile");
        }

        await db.RemoveExamplesAsync(dataset.Id, document.DocumentId, cancellationToken);
        await db.FenceRunAsync(dataset.RunId, cancellationToken);
        await db.AddObjectsToDeleteAsync(
            dataset.OrganizationId, document.DocumentId,
            [
                .. files.Select(file => (file.OldUri, file.OldGeneration)),
                .. files.Where(IsEmptyAside).Select(file => (file.Stored.Uri, (long?)file.Stored.Generation)),
            ],
            cancellationToken);
        if (files.Any(file => file.File == DatasetFiles.Train))
        {
            await db.AddCopiesToDeleteAsync(dataset.RunId, document.DocumentId, cancellationToken);
        }

        await db.AddAuditEntryAsync(
            new Scope(dataset.OrganizationId, dataset.ProjectId), Actor, "rewrite-dataset", $"dataset {dataset.Id}",
            ReasonOf(document, files), time.GetUtcNow(), cancellationToken);
        await tx.CommitAsync(cancellationToken);
        await failpoints.ReachAsync(ForgettingPoint.DatasetRecorded);
        return null;
    }

    private static string ReasonOf(ForgottenDocument document, List<RewrittenFile> files) =>
        $"document {document.DocumentId} is forgotten: "
        + (files.Count == 0
            ? "its files were gone already"
            : string.Join(", ", files.Select(file =>
                $"{file.File} lost {file.Removed.Examples} of {file.Removed.Examples + file.Examples} examples"
                + (file.Removed.Unreadable > 0 ? $", {file.Removed.Unreadable} of them unreadable" : ""))));

    // A dataset without a validation or held-out file says so by its row.
    private static bool IsEmptyAside(RewrittenFile file) => file.Examples == 0 && file.File != DatasetFiles.Train;

    private static Dataset Apply(Dataset dataset, List<RewrittenFile> files) => files.Aggregate(
        dataset with { EstimatedTokens = RewrittenMetadata.TokensOf(dataset.EstimatedTokens, files) },
        (rewritten, file) => (file.File, IsEmptyAside(file)) switch
        {
            (DatasetFiles.Train, _) => rewritten with
            {
                TrainUri = file.Stored.Uri,
                TrainGeneration = file.Stored.Generation,
                TrainSha256 = file.Stored.Sha256,
                TrainBytes = file.Stored.Bytes,
                TrainExamples = file.Examples,
            },
            (DatasetFiles.Validation, false) => rewritten with
            {
                ValidationUri = file.Stored.Uri,
                ValidationGeneration = file.Stored.Generation,
                ValidationSha256 = file.Stored.Sha256,
                ValidationBytes = file.Stored.Bytes,
                ValidationExamples = file.Examples,
            },
            (DatasetFiles.Validation, true) => rewritten with
            {
                ValidationUri = null,
                ValidationGeneration = null,
                ValidationSha256 = null,
                ValidationBytes = null,
                ValidationExamples = 0,
            },
            (_, false) => rewritten with
            {
                TestUri = file.Stored.Uri,
                TestGeneration = file.Stored.Generation,
                TestSha256 = file.Stored.Sha256,
                TestBytes = file.Stored.Bytes,
                TestExamples = file.Examples,
            },
            _ => rewritten with
            {
                TestUri = null,
                TestGeneration = null,
                TestSha256 = null,
                TestBytes = null,
                TestExamples = 0,
            },
        });

    /// <param name="Split">As <c>ml.dataset_examples</c> names it.</param>
    private sealed record DataFile(string Name, string Split, string Uri, long? Generation, long Bytes);
}
