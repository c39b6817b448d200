using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Tuning;

/// <summary>A tuning job to the rows that know it: attempt, model, run and message, in one transaction.</summary>
public static class JobRecording
{
    /// <param name="openAttempt">Number of the attempt that is open, and gets the job.</param>
    /// <param name="baseModel">From what the job tunes, as its own attempt intended.</param>
    /// <returns>False when the attempt is settled already.</returns>
    public static async Task<bool> RecordJobAsync(
        this NpgsqlConnection db, RunId runId, int openAttempt, string baseModel, RunId? parentModelId, TuningJob job,
        TuningOptions options, CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (!await db.MarkCreatedAsync(runId, openAttempt, job.Name, cancellationToken))
        {
            return false;
        }

        if (!await db.MarkTuningAsync(runId, options.PollDelay(0), options.TuningDeadline, cancellationToken))
        {
            throw new InvalidOperationException($"run {runId} has an open attempt and is not waiting for its job");
        }

        var run = await db.FindRunAsync(runId, cancellationToken);
        if (run?.DatasetId is not { } datasetId
            || await db.FindDatasetAsync(datasetId, cancellationToken) is not { } dataset)
        {
            throw new InvalidOperationException($"run {runId} has a tuning job and no dataset");
        }

        await db.InsertModelAsync(
            new NewModel(
                runId, run.Scope, baseModel, parentModelId, job.Name, dataset.PromptHash, dataset.Id, dataset.TrainUri,
                dataset.TrainExamples, dataset.ValidationExamples),
            cancellationToken);

        // Somebody wanted the run to end before it came to rest with an operator: that still holds.
        if (run is { State: RunState.Tuning, EndsAs: { } endsAs })
        {
            await db.MarkCancellingAsync(
                runId, endsAs, run.Reason ?? "its end was requested before its tuning job was found",
                options.CancelDeadline, cancellationToken);
        }

        await db.AddMessageAsync(
            runId, Topics.TuningStarted, new TuningStarted(runId), MessageJson.Default.TuningStarted,
            cancellationToken);
        await tx.CommitAsync(cancellationToken);
        PipelineMetrics.TuningJobCreated(run.Scope, baseModel, run.EstimatedCostUsd);
        return true;
    }
}
