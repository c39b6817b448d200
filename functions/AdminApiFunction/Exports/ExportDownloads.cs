using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace FeedbackLoop.AdminApi.Exports;

/// <summary>
/// Hands out the files of an export as they lie in the bucket, whole or in part, without keeping them in memory;
/// audited.
/// </summary>
internal sealed class ExportDownloads(IDatasetStore store, TimeProvider time, ILogger<ExportDownloads> logger)
{
    public static async Task<Results<AuditedDownload, ProblemHttpResult>> DownloadAsync(
        Guid id, string file, HttpContext context, Caller caller, ExportDownloads downloads,
        CancellationToken cancellationToken)
    {
        RunOverview? run;
        Dataset? dataset;
        DatasetMetadata? metadata;
        await using (var db = await caller.OpenAsync(cancellationToken))
        {
            run = await db.FindRunOverviewAsync(new RunId(id), purpose: null, caller.Visible, cancellationToken);
            dataset = run?.DatasetId is { } recorded ? await db.FindDatasetAsync(recorded, cancellationToken) : null;
            metadata = dataset is null ? null : await db.GetMetadataAsync(dataset.Id, cancellationToken);
        }

        if (!caller.May(run?.Scope, "export", out var refusal))
        {
            return refusal;
        }

        if (dataset is null || metadata is null)
        {
            return Problem.Of(
                StatusCodes.Status409Conflict, ProblemTypes.NoFiles, "There are no files",
                RunTransitions.IsFinal(run!.State) // not null by May
                    ? $"The export ended as {run.State}: {run.Reason}"
                    : $"The export is {run.State}. Its files are there when it has succeeded.",
                ("state", run.State));
        }

        return ExportFiles.Of(run!.Id, metadata).FirstOrDefault(each => each.Name == file) is { } wanted
            ? await downloads.OpenAsync(context, run, dataset, wanted, caller, cancellationToken)
            : Problem.NotFound("file");
    }

    private async Task<Results<AuditedDownload, ProblemHttpResult>> OpenAsync(
        HttpContext context, RunOverview run, Dataset dataset, ExportFile file, Caller caller,
        CancellationToken cancellationToken)
    {
        Stream content;
        try
        {
            var uri = dataset.UriOf(file.Name)
                ?? throw new InvalidOperationException(
                    $"dataset {dataset.Id} has statistics of {file.Name} and no such file");
            content = await store.OpenReadAsync(DatasetUri.NameIn(store, uri), generation: null, cancellationToken);
        }
        catch (DatasetStoreException e)
        {
            return Problem.Of(
                StatusCodes.Status502BadGateway, ProblemTypes.Storage, "Cloud Storage did not hand it out",
                $"{e.Message}. Files are deleted after the bucket's retention time; export again.");
        }

        return await AuditedDownload.BeginAsync(
            context, caller, run, file, new CountedStream(content), bytes => AnswerOf(file, bytes), time, logger);
    }

    private static FileStreamHttpResult AnswerOf(ExportFile file, Stream content) => TypedResults.Stream(
        content,
        file.Name == DatasetFiles.Metadata ? "application/json" : "application/jsonl",
        file.Name,
        lastModified: null,
        file.Sha256 is { } hash ? new EntityTagHeaderValue($"\"{hash}\"") : null,
        enableRangeProcessing: true);
}
