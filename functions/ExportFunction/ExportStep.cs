using System.Diagnostics;
using System.Text;
using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Export;

/// <summary>kb tables to the JSONL files of a run in the datasets bucket.</summary>
internal sealed partial class ExportStep(
    NpgsqlDataSource database,
    DatasetExporter exporter,
    IDatasetStore store,
    OutboxRelay outbox,
    Failpoints failpoints,
    TimeProvider time,
    IOptions<ExportOptions> options,
    IOptions<BaseModelCatalogue> models,
    IOptions<TuningOptions> tuning,
    ILogger<ExportStep> logger) : IStep<ExportRequested>, IDisposable
{
    private static readonly TimeSpan ExportDeadline = TimeSpan.FromHours(1);

    /// <summary>How long an exported run may wait for its tuning job: quota waits take up to a day.</summary>
    private static readonly TimeSpan ExportedDeadline = TimeSpan.FromHours(24);

    // An export holds half a dozen connections; several at once would each wait for one that another one holds.
    private readonly SemaphoreSlim _places = new(options.Value.MaxConcurrentExports);

    private static readonly string[] Claimable = [RunState.Requested, RunState.Exporting];

    public async Task<StepOutcome> RunAsync(ExportRequested message, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        try
        {
            return await RunAloneAsync(message, cancellationToken);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();

    private async Task<StepOutcome> RunAloneAsync(ExportRequested message, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        if (await db.FindRunAsync(message.RunId, cancellationToken) is not { } run)
        {
            return new StepOutcome.Rejected($"run {message.RunId} does not exist");
        }

        // A run that is past this step, or in another worker's hands, needs nothing from this message.
        var claim = await db.ClaimRunAsync(
            run.Id, Claimable, RunState.Exporting, options.Value.Lease, ExportDeadline, cancellationToken);
        if (claim is null)
        {
            return new StepOutcome.AlreadyDone($"run {run.Id} is {run.State}");
        }

        await failpoints.ReachAsync(Failpoint.ExportClaimed);
        if (claim.StepAttempts > options.Value.MaxAttempts)
        {
            return await EndAsync(
                db, claim, RunState.Failed, $"the export broke off {options.Value.MaxAttempts} times: {run.Reason}",
                cancellationToken);
        }

        try
        {
            return await ExportAsync(db, claim, cancellationToken);
        }
        catch (DatasetStoreException e) when (e.IsPermanent)
        {
            return await EndAsync(db, claim, RunState.Failed, e.Message, cancellationToken);
        }
        catch (DatasetConflictException e)
        {
            // An earlier try stored the file and died, and the data has changed since. Nobody reads it before the run is
            // exported, so it goes, and the redelivery of this message writes it anew.
            await store.DeleteAsync(
                claim.DatasetFolder + e.Name[(e.Name.LastIndexOf('/') + 1)..], e.Generation, cancellationToken);
            await db.ReleaseAsync(claim, e.Message, cancellationToken);
            throw;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            await db.ReleaseAsync(claim, e.Message, cancellationToken);
            throw;
        }
    }

    private async Task<StepOutcome> ExportAsync(NpgsqlConnection db, Run claim, CancellationToken cancellationToken)
    {
        var criteria = claim.Parameters.Export;
        var datasetId = Guid.CreateVersion7(time.GetUtcNow());

        // Origins go out beside the files and become visible with the run's new state, in one commit.
        await using var writing = await database.OpenConnectionAsync(cancellationToken);
        await using var tx = await writing.BeginTransactionAsync(cancellationToken);
        var origins = new OriginWriter(writing, datasetId, claim.OrganizationId);
        var heartbeat = new Heartbeat(db, claim, options.Value, logger);

        var result = await exporter.ExportAsync(
            claim.Scope, criteria, options.Value.TestShare, options.Value.MaxContributorShare(claim.Scope),
            options.Value.MinExamples(claim.Scope, claim.Purpose, criteria), store, claim.DatasetFolder,
            heartbeat.BeatAsync, origins.AddAsync, cancellationToken);
        if (result is ExportResult.Refused refused)
        {
            return await EndAsync(db, claim, RunState.Skipped, refused.Reason, cancellationToken);
        }

        await origins.FlushAsync(cancellationToken);
        var exported = (ExportResult.Exported)result;
        var now = time.GetUtcNow();
        var dataset = Dataset.Of(datasetId, claim.Id, claim.Scope, store.UriOf(claim.DatasetFolder), exported);
        await writing.InsertDatasetAsync(
            dataset, criteria.Seed, exported.Content.SnapshotAt, Encoding.UTF8.GetString(exported.Content.ToJson()), now,
            cancellationToken);
        if (!await RecordAsync(writing, claim, dataset, heartbeat.LastProgressJson, cancellationToken))
        {
            return new StepOutcome.AlreadyDone($"run {claim.Id} went on without this worker");
        }

        await tx.CommitAsync(cancellationToken);
        await failpoints.ReachAsync(Failpoint.ExportRecorded);
        PipelineMetrics.DatasetExported(claim.Scope, dataset.TrainExamples, dataset.ValidationExamples, dataset.TestExamples);
        foreach (var (reason, count) in exported.Content.Excluded)
        {
            PipelineMetrics.ExamplesWereLeftOut(reason, count);
        }

        if (exported.Content.LeftOutOfPrompts is { Count: > 0 } parts)
        {
            LogLeftOutOfPrompts(parts.Count, claim.Id, parts.DistinctBy(part => part.ProjectId).Count());
        }

        LogExported(
            claim.Id, dataset.TrainExamples, dataset.ValidationExamples, dataset.TestExamples, dataset.Uri);

        await outbox.SendPendingAsync(limit: 10, cancellationToken);
        return new StepOutcome.Done($"run {claim.Id} exported {exported.Content.Counts.Examples} examples");
    }

    // An export of its own is done; a training goes on with the next message.
    private async Task<bool> RecordAsync(
        NpgsqlConnection db, Run claim, Dataset dataset, string progressJson, CancellationToken cancellationToken)
    {
        if (claim.Purpose == RunPurpose.Export)
        {
            return await db.MarkExportSucceededAsync(claim, dataset.Id, progressJson, cancellationToken);
        }

        if (!await db.MarkExportedAsync(
            claim, dataset.Id, EstimateUsd(claim, dataset), progressJson, ExportedDeadline, cancellationToken))
        {
            return false;
        }

        await db.AddMessageAsync(
            claim.Id, Topics.DatasetExported, new DatasetExported(claim.Id), MessageJson.Default.DatasetExported,
            cancellationToken);
        return true;
    }

    // Before the job is planned: a project's model on top of a general one has that one's base and price.
    private decimal? EstimateUsd(Run claim, Dataset dataset)
    {
        var wish = claim.Parameters.Tuning;
        return models.Value.Find(wish.BaseModel ?? models.Value.DefaultId) is { } model
            ? TuningCost.EstimateUsd(dataset.EstimatedTokens, wish.Epochs, tuning.Value.AssumedEpochs, model)
            : null;
    }

    private static async Task<StepOutcome> EndAsync(
        NpgsqlConnection db, Run claim, string state, string reason, CancellationToken cancellationToken) =>
        await db.MoveAsync(claim, state, reason, TimeSpan.Zero, cancellationToken)
            ? new StepOutcome.Skipped($"run {claim.Id} {state}: {reason}")
            : new StepOutcome.AlreadyDone($"run {claim.Id} went on without this worker");

    // What it is stays out of the log; the export's result names the types, with placeholders.
    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Personal data in {Parts} types, or parts of types, keeps them out of the prompts of run {RunId}, in "
            + "{Projects} projects")]
    private partial void LogLeftOutOfPrompts(int parts, RunId runId, int projects);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Run {RunId}: {TrainExamples} train, {ValidationExamples} validation and {TestExamples} held-out examples in "
            + "{DatasetUri}")]
    private partial void LogExported(
        RunId runId, int trainExamples, int validationExamples, int testExamples, string datasetUri);

    /// <summary>Shows progress on the run's row and in the log, and prolongs the lease, but not for every example.</summary>
    private sealed partial class Heartbeat(NpgsqlConnection db, Run claim, ExportOptions options, ILogger logger)
    {
        private ExportProgress _progress = new(0, 0, 0);
        private long _lastBeat = Stopwatch.GetTimestamp();

        public string LastProgressJson => JsonSerializer.Serialize(_progress, ProgressJson.Default.ExportProgress);

        /// <exception cref="InvalidOperationException">Another worker has the run: this one must stop.</exception>
        public async Task BeatAsync(ExportProgress progress, CancellationToken cancellationToken)
        {
            _progress = progress;
            if (Stopwatch.GetElapsedTime(_lastBeat) < options.ProgressInterval)
            {
                return;
            }

            _lastBeat = Stopwatch.GetTimestamp();
            if (!await db.ExtendLeaseAsync(claim, options.Lease, LastProgressJson, cancellationToken))
            {
                throw new InvalidOperationException($"the lease of run {claim.Id} was lost during the export");
            }

            LogProgress(claim.Id, progress.Candidates, progress.Examples, progress.Bytes);
        }

        [LoggerMessage(
            Level = LogLevel.Information,
            Message = "Run {RunId}: {Candidates} extractions read, {Examples} examples of {Bytes} bytes written")]
        private partial void LogProgress(RunId runId, long candidates, long examples, long bytes);
    }
}
