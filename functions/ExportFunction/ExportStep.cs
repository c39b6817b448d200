using System.Data.Common;
using System.Text;
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
        catch (Exception e) when (e is not OperationCanceledException)
        {
            await ReleaseAsync(claim, e);
            throw;
        }
    }

    private async Task<StepOutcome> ExportAsync(NpgsqlConnection db, Run claim, CancellationToken cancellationToken)
    {
        var criteria = claim.Parameters.Export;

        // Again, because the organization may have set its floor after the run was asked for.
        if (await db.CheckPiiFloorAsync(claim.OrganizationId, criteria, cancellationToken) is { } error)
        {
            return await EndAsync(db, claim, RunState.Skipped, error.Message, cancellationToken);
        }

        var datasetId = Guid.CreateVersion7(time.GetUtcNow());
        var folder = claim.Scope.DatasetFolder(claim.Version, claim.Epoch);

        // Whatever becomes of this worker, the sweep knows what it may have stored.
        await db.InsertUnrecordedExportAsync(claim, store.UriOf(folder), cancellationToken);

        // Origins go out beside the files and become visible with the run's new state, in one commit.
        await using var writing = await database.OpenConnectionAsync(cancellationToken);
        await using var tx = await writing.BeginTransactionAsync(cancellationToken);
        var origins = new OriginWriter(writing, datasetId, claim.OrganizationId);
        await using var heartbeat = new Heartbeat(db, claim, options.Value, time, logger, cancellationToken);
        ExportResult.Exported exported;
        Dataset dataset;
        try
        {
            var result = await exporter.ExportAsync(
                claim.Scope, criteria, options.Value.TestShare, options.Value.MaxContributorShare(claim.Scope),
                options.Value.MinExamples(claim.Scope, claim.Purpose, criteria), store, folder, heartbeat.NoteAsync,
                origins.AddAsync, heartbeat.Token);
            if (result is ExportResult.Refused refused)
            {
                await heartbeat.StopAsync();
                return await EndAsync(db, claim, RunState.Skipped, refused.Reason, cancellationToken);
            }

            await origins.FlushAsync(heartbeat.Token);
            exported = (ExportResult.Exported)result;
            dataset = Dataset.Of(datasetId, claim.Id, claim.Scope, store.UriOf(folder), exported);
            try
            {
                await writing.InsertDatasetAsync(
                    dataset, criteria.Seed, exported.Content.SnapshotAt, Encoding.UTF8.GetString(exported.Content.ToJson()),
                    time.GetUtcNow(), heartbeat.Token);
            }
            catch (PostgresException e) when (e.ConstraintName == DatasetQueries.NoForgottenDocument)
            {
                // A document was forgotten after this export had read it: its files go, and the next delivery reads anew.
                await EraseAsync(exported, cancellationToken);
                throw;
            }

            await writing.DeleteUnrecordedExportAsync(claim.Id, claim.Epoch, heartbeat.Token);

            // From here to the commit the run's row is this transaction's: nobody else can take it.
            if (!await RecordAsync(writing, claim, dataset, heartbeat.LastProgressJson, heartbeat.Token))
            {
                return new StepOutcome.AlreadyDone($"run {claim.Id} went on without this worker");
            }

            await tx.CommitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (heartbeat.IsLost && !cancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException(
                $"the lease of run {claim.Id} was lost during the export", heartbeat.Failure);
        }

        await heartbeat.StopAsync();
        await failpoints.ReachAsync(Failpoint.ExportRecorded);
        PipelineMetrics.DatasetExported(claim.Scope, dataset.TrainExamples, dataset.ValidationExamples, dataset.TestExamples);
        foreach (var (reason, count) in exported.Content.Excluded)
        {
            PipelineMetrics.ExamplesWereLeftOut(reason, count);
        }

        if (exported.Content.LeftOutOfPrompts is { Count: > 0 })
        {
            var leftOut = exported.Content.LeftOut;
            LogLeftOutOfPrompts(leftOut["unlisted_types"], claim.Id, leftOut["shortened_types"]);
        }

        LogExported(
            claim.Id, dataset.TrainExamples, dataset.ValidationExamples, dataset.TestExamples, dataset.Uri);

        await outbox.SendPendingAsync(limit: 10, cancellationToken);
        return new StepOutcome.Done($"run {claim.Id} exported {exported.Content.Counts.Examples} examples");
    }

    private async Task EraseAsync(ExportResult.Exported exported, CancellationToken cancellationToken)
    {
        StoredFile?[] files = [exported.Train, exported.Validation, exported.Test, exported.Metadata];
        foreach (var file in files.OfType<StoredFile>())
        {
            await store.EraseAsync(DatasetUri.NameIn(store, file.Uri), file.Generation, cancellationToken);
        }
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

    // With a connection and a time of its own: the other one may be what broke, and the request may be over.
    private async Task ReleaseAsync(Run claim, Exception cause)
    {
        try
        {
            await using var db = await database.OpenConnectionAsync(CancellationToken.None);
            await db.ReleaseAsync(claim, cause.Message, CancellationToken.None);
        }
        catch (DbException e)
        {
            LogNotReleased(e, claim.Id);
        }
    }

    private static async Task<StepOutcome> EndAsync(
        NpgsqlConnection db, Run claim, string state, string reason, CancellationToken cancellationToken) =>
        await db.MoveAsync(claim, state, reason, TimeSpan.Zero, cancellationToken)
            ? new StepOutcome.Skipped($"run {claim.Id} {state}: {reason}")
            : new StepOutcome.AlreadyDone($"run {claim.Id} went on without this worker");

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId} keeps its lease until it runs out")]
    private partial void LogNotReleased(Exception exception, RunId runId);

    // Which they are stays out of the log; the export's result names them with the reason.
    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Unlisted} types stand in no prompt of run {RunId}, and {Shortened} without all that is said of them")]
    private partial void LogLeftOutOfPrompts(long unlisted, RunId runId, long shortened);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Run {RunId}: {TrainExamples} train, {ValidationExamples} validation and {TestExamples} held-out examples in "
            + "{DatasetUri}")]
    private partial void LogExported(
        RunId runId, int trainExamples, int validationExamples, int testExamples, string datasetUri);
}
