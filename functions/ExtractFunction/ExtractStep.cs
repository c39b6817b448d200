using System.Data.Common;
using System.Text.Json;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Extract;

/// <summary>
/// A job's chunk to objects that wait for a review, by the model that the project has. Whatever happens twice, a job's objects
/// are stored once: in the transaction that records which model found them.
/// </summary>
internal sealed partial class ExtractStep(
    NpgsqlDataSource database, ProjectTypes projectTypes, ModelSelector selector, TieredModel model,
    IOptions<BaseModelCatalogue> catalogue, SpendingTerms terms, TimeProvider time, ILogger<ExtractStep> logger)
    : IStep<ExtractionRequested>
{
    public async Task<StepOutcome> RunAsync(ExtractionRequested message, CancellationToken cancellationToken)
    {
        ExtractionJob? job;
        SpendingStop? stop;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            job = await db.FindExtractionJobAsync(message.JobId, cancellationToken);
            if (job is null)
            {
                return new StepOutcome.Rejected($"extraction job {message.JobId} does not exist, or its project is deleted");
            }

            if (job.IsOver)
            {
                return new StepOutcome.AlreadyDone($"extraction job {job.Id} is {job.Status}");
            }

            if (job.ChunkId is null)
            {
                return await FailAsync(job, job.Chunks == 0
                    ? "the job names no live chunk of its project"
                    : $"the job names a document of {job.Chunks} chunks; make one job for each chunk");
            }

            stop = await db.FindSpendingStopAsync(cancellationToken);
            if (stop is not null && !terms.Options.BaseModelWhileStopped)
            {
                await db.AddWaitingExtractionAsync(job, time.GetUtcNow(), cancellationToken);
                return new StepOutcome.Done($"extraction job {job.Id} waits: {stop.InWords()}");
            }

            await db.MarkExtractingAsync(job.Id, time.GetUtcNow(), cancellationToken);
        }

        try
        {
            return await ExtractAsync(job, stop, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever it is, the job says it, and after its retries the job is over: each of them is paid for.
            if (await TryNoteAsync(job, e))
            {
                return new StepOutcome.Skipped($"extraction job {job.Id} failed: {e.Message}");
            }

            throw;
        }
    }

    private async Task<StepOutcome> ExtractAsync(
        ExtractionJob job, SpendingStop? stop, CancellationToken cancellationToken)
    {
        var types = await projectTypes.GetAsync(job.ProjectId, cancellationToken);
        var prompt = ExtractionPrompt.For(types);
        var choice = ModelSelection.WhileStopped(
            await selector.SelectAsync(job.OrganizationId, job.ProjectId, cancellationToken), stop,
            catalogue.Value.GetDefault());
        var answer = await model.AskAsync(job.OrganizationId, choice, prompt, job.Text!, cancellationToken); // of its chunk
        var found = answer.Content is { } content
            ? ExtractionRules.Apply(
                content, types, job.EnabledTypes, job.Text!,
                ReviewThresholds.Of(job.JobConfigurationJson, job.ProjectConfigurationJson))
            : null;
        var result = ExtractionResult.Of(job, prompt, choice, answer, found, time.GetUtcNow());

        // The answer is paid for: from here on it is stored, whatever becomes of the request.
        await using var db = await database.OpenConnectionAsync(CancellationToken.None);
        await using var tx = await db.BeginTransactionAsync(CancellationToken.None);
        if (!await db.InsertExtractionResultAsync(result, CancellationToken.None))
        {
            return new StepOutcome.AlreadyDone($"extraction job {job.Id} has its result");
        }

        var isStored = found is null
            ? await db.MarkExtractionFailedAsync(
                job.Id, $"the model's answer cannot be read: {answer.Problem}", isFinal: true, time.GetUtcNow(),
                CancellationToken.None)
            : await db.StoreExtractionAsync(
                job, found, JsonSerializer.Serialize(result, ExtractJson.Default.ExtractionResult), time.GetUtcNow(),
                CancellationToken.None);
        if (!isStored)
        {
            return new StepOutcome.AlreadyDone($"extraction job {job.Id} was ended meanwhile");
        }

        await tx.CommitAsync(CancellationToken.None);
        var unreviewed = found?.Entities.Count(entity => entity.NeedsReview) ?? 0;
        PipelineMetrics.ExtractionEnded(
            result.AnsweredTier, result.IsValid, unreviewed, result.EntityCount - unreviewed);
        LogAnswered(
            job.Id, result.AnsweredTier, result.AnsweredModelId, result.AnsweredVersion, result.BaseModel, result.Endpoint,
            result.ChosenReason, result.LatencyMs, result.InputTokens, result.OutputTokens);
        return found is null
            ? new StepOutcome.Skipped($"extraction job {job.Id} failed: the answer cannot be read: {answer.Problem}")
            : new StepOutcome.Done(
                $"extraction job {job.Id}: {found.Entities.Count} objects and {found.Relationships.Count} relationships by "
                + $"the {result.AnsweredTier} model");
    }

    private async Task<StepOutcome> FailAsync(ExtractionJob job, string reason)
    {
        await NoteAsync(job, reason, isFinal: true);
        return new StepOutcome.Skipped($"extraction job {job.Id} failed: {reason}");
    }

    // The database may be what failed; then the next delivery finds the job as it was.
    private async Task<bool> TryNoteAsync(ExtractionJob job, Exception failure)
    {
        try
        {
            return await NoteAsync(job, failure.Message, isFinal: false);
        }
        catch (DbException e)
        {
            LogNotNoted(e, job.Id);
            return false;
        }
    }

    // With a connection of its own: the request may be over, and the row must say why.
    private async Task<bool> NoteAsync(ExtractionJob job, string reason, bool isFinal)
    {
        await using var db = await database.OpenConnectionAsync(CancellationToken.None);
        return await db.MarkExtractionFailedAsync(job.Id, reason, isFinal, time.GetUtcNow(), CancellationToken.None);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The failure of extraction job {JobId} cannot be noted")]
    private partial void LogNotNoted(Exception exception, Guid jobId);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Extraction job {JobId} was answered by the {Tier} model {ModelId} version {Version} on {BaseModel} at "
            + "{Endpoint}, chosen because {Reason}: {LatencyMs} ms, {InputTokens} tokens in, {OutputTokens} out")]
    private partial void LogAnswered(
        Guid jobId, string tier, Guid? modelId, int? version, string baseModel, string? endpoint, string reason,
        int latencyMs, int inputTokens, int outputTokens);
}
