using System.Data.Common;
using FeedbackLoop.Datasets;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Train;

/// <summary>An exported dataset to one tuning job, which is made once and never blindly again.</summary>
internal sealed partial class TrainStep(
    NpgsqlDataSource database,
    IDatasetStore datasets,
    ITuningService tuning,
    JobLookup lookup,
    TuningCall call,
    OutboxRelay outbox,
    Failpoints failpoints,
    TimeProvider time,
    IOptions<TuningOptions> options,
    IOptions<BaseModelCatalogue> catalogue,
    ILogger<TrainStep> logger) : IStep<DatasetExported>
{
    private const int LastAttempt = 100;
    private static readonly string[] Startable = [RunState.Exported, RunState.CreateUnknown];

    public async Task<StepOutcome> RunAsync(DatasetExported message, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        if (await db.FindRunAsync(message.RunId, cancellationToken) is not { } run)
        {
            return new StepOutcome.Rejected($"run {message.RunId} does not exist");
        }

        var attempts = await db.ListAttemptsAsync(run.Id, cancellationToken);
        if (!Startable.Contains(run.State) || attempts.Any(attempt => attempt.IsOpen)
            || (run.State == RunState.CreateUnknown && attempts.All(attempt => attempt.State != AttemptState.Absent)))
        {
            return new StepOutcome.AlreadyDone($"run {run.Id} is {run.State}");
        }

        if (await db.ClaimRunAsync(
            run.Id, Startable, to: null, options.Value.Lease, TimeSpan.Zero, cancellationToken) is not { } claim)
        {
            return new StepOutcome.AlreadyDone($"run {run.Id} is not due, or another worker is at it");
        }

        try
        {
            return await StartAsync(db, claim, cancellationToken);
        }
        catch (DatasetStoreException e) when (e.IsPermanent)
        {
            return await FailAsync(claim, $"the dataset cannot be read: {e.Message}", cancellationToken);
        }
        catch (Exception e)
        {
            await ReleaseAsync(claim, e);
            throw;
        }
    }

    private async Task<StepOutcome> StartAsync(NpgsqlConnection db, Run claim, CancellationToken cancellationToken)
    {
        if (claim.StepAttempts > options.Value.MaxStepAttempts)
        {
            return await FailAsync(
                claim, $"gave up after {options.Value.MaxStepAttempts} attempts: {claim.Reason}", cancellationToken);
        }

        // A sweep would notice minutes later, when the job costs money already.
        if (await db.FindStrayRunAsync(claim.Id, cancellationToken) is { } stray)
        {
            await db.RequestCancelAsync(claim.Id, "system:train", stray.Reason, time.GetUtcNow(), cancellationToken);
            return new StepOutcome.Skipped($"run {claim.Id} is cancelled: {stray.Reason}");
        }

        if (claim.DatasetId is not { } datasetId
            || await db.FindDatasetAsync(datasetId, cancellationToken) is not { } dataset)
        {
            throw new InvalidOperationException($"run {claim.Id} is {claim.State} without a dataset");
        }

        var general = await db.FindReadyModelAsync(claim.Scope with { ProjectId = null }, cancellationToken);
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var (plan, reason) = TuningPlan.Make(
            claim, dataset, general, catalogue.Value, tuning.Target.Region, today);
        if (plan is null)
        {
            return await FailAsync(claim, reason ?? "there is no plan", cancellationToken);
        }

        await failpoints.ReachAsync(Failpoint.TrainClaimed);
        var attempts = await db.ListAttemptsAsync(claim.Id, cancellationToken);
        var number = attempts.Count + 1;
        if (number > LastAttempt)
        {
            return await FailAsync(
                claim, $"{LastAttempt} attempts made no tuning job: {claim.Reason}", cancellationToken);
        }

        // Before the intent, from which on a call must follow within seconds: a long list takes minutes.
        var look = await lookup.LookAsync(db, claim, number, cancellationToken);
        if (look is not JobLook.Whole listed)
        {
            return await WaitForListAsync(db, claim, look, cancellationToken);
        }

        var name = TuningRequest.AttemptFile(DatasetUri.NameOf(dataset.Uri), attempts);
        var file = await datasets.CopyAsync(
            DatasetUri.NameOf(dataset.TrainUri), dataset.TrainGeneration, name, cancellationToken);
        await failpoints.ReachAsync(Failpoint.AttemptFileCopied);
        if (!await db.ExtendLeaseAsync(claim, options.Value.Lease, progressJson: null, cancellationToken))
        {
            return new StepOutcome.AlreadyDone($"run {claim.Id} went to another worker while its file was copied");
        }

        var outcome = await call.MakeAsync(
            db, claim, dataset, plan,
            TuningCost.EstimateUsd(
                dataset.EstimatedTokens, claim.Parameters.Tuning, options.Value.AssumedEpochs, plan, catalogue.Value),
            file, listed, number, cancellationToken);
        await failpoints.ReachAsync(Failpoint.JobRecorded);
        await outbox.SendPendingAsync(limit: 10, cancellationToken);
        return outcome;
    }

    /// <summary>As long as the list is not whole, nothing is recorded and nothing is sent.</summary>
    private async Task<StepOutcome> WaitForListAsync(
        NpgsqlConnection db, Run claim, JobLook look, CancellationToken cancellationToken)
    {
        switch (look)
        {
            case JobLook.Unfinished unfinished:
                await using (var tx = await db.BeginTransactionAsync(cancellationToken))
                {
                    if (!await db.PostponeAsync(claim, claim.State, TimeSpan.Zero, unfinished.Why, cancellationToken))
                    {
                        return new StepOutcome.AlreadyDone($"run {claim.Id} moved on while tuning jobs were listed");
                    }

                    await db.AddMessageAsync(
                        claim.Id, Topics.DatasetExported, new DatasetExported(claim.Id),
                        MessageJson.Default.DatasetExported, cancellationToken);
                    await tx.CommitAsync(cancellationToken);
                }

                await outbox.SendPendingAsync(limit: 10, cancellationToken);
                return new StepOutcome.Done($"run {claim.Id}: {unfinished.Why}");
            case JobLook.Endless endless:
                return await FailAsync(claim, endless.Why, cancellationToken);
            case JobLook.ClaimLost:
                return new StepOutcome.AlreadyDone(
                    $"run {claim.Id} went to another worker while tuning jobs were listed");
            default:
                throw new InvalidOperationException($"{look} is nothing to wait for");
        }
    }

    private async Task<StepOutcome> FailAsync(Run claim, string reason, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        return await db.MoveAsync(claim, RunState.Failed, reason, TimeSpan.Zero, cancellationToken)
            ? new StepOutcome.Skipped($"run {claim.Id} failed: {reason}")
            : new StepOutcome.AlreadyDone($"run {claim.Id} moved on meanwhile");
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "Run {RunId} keeps its lease until it runs out")]
    private partial void LogNotReleased(Exception exception, RunId runId);
}
