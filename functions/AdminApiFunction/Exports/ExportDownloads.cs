using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace FeedbackLoop.AdminApi.Exports;

/// <summary>Hands out the files of an export as they lie in the bucket, whole or in part, without keeping them in memory.</summary>
internal sealed partial class ExportDownloads(IDatasetStore store, ILogger<ExportDownloads> logger)
{
    public static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> DownloadAsync(
        Guid id, string file, Caller caller, ExportDownloads downloads, CancellationToken cancellationToken)
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
            ? await downloads.OpenAsync(run, dataset, wanted, caller, cancellationToken)
            : Problem.NotFound("file");
    }

    private async Task<Results<FileStreamHttpResult, ProblemHttpResult>> OpenAsync(
        RunOverview run, Dataset dataset, ExportFile file, Caller caller, CancellationToken cancellationToken)
    {
        try
        {
            var uri = dataset.UriOf(file.Name)
                ?? throw new InvalidOperationException(
                    $"dataset {dataset.Id} has statistics of {file.Name} and no such file");
            var content = await store.OpenReadAsync(DatasetUri.NameOf(uri), cancellationToken);
            LogDownload(file.Name, run.Id, caller.Person.Id);
            return TypedResults.Stream(
                content,
                file.Name == DatasetFiles.Metadata ? "application/json" : "application/jsonl",
                file.Name,
                lastModified: null,
                file.Sha256 is { } hash ? new EntityTagHeaderValue($"\"{hash}\"") : null,
                enableRangeProcessing: true);
        }
        catch (DatasetStoreException e)
        {
            return Problem.Of(
                StatusCodes.Status502BadGateway, ProblemTypes.Storage, "Cloud Storage did not hand it out",
                $"{e.Message}. Files are deleted after the bucket's retention time; export again.");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{File} of run {RunId} goes to person {PersonId}")]
    private partial void LogDownload(string file, RunId runId, Guid personId);
}
