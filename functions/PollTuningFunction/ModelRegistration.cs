using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>A finished tuning job to the registry: model, promotion, run and message in one transaction.</summary>
internal sealed class ModelRegistration(TimeProvider time)
{
    private const string Actor = "system:poll";

    /// <returns>False when the claim is lost.</returns>
    public async Task<bool> RegisterAsync(
        NpgsqlConnection db, Run claim, TuningJob job, CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        await db.RegisterResultAsync(claim.Id, Result(job), cancellationToken);
        var promotion = await db.PromoteAsync(claim.Id, cancellationToken);
        if (promotion is PromotionOutcome.Refused refused)
        {
            throw new InvalidOperationException(refused.Reason);
        }

        if (!await db.MarkSucceededAsync(claim, cancellationToken))
        {
            return false;
        }

        await db.AddAuditEntryAsync(
            claim.Scope, Actor, "promote-model", $"model {claim.Id}", reason: null, time.GetUtcNow(),
            cancellationToken);
        await db.AddMessageAsync(
            claim.Id, Topics.TrainingFinished, new TrainingFinished(claim.Id), MessageJson.Default.TrainingFinished,
            cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>
    /// A model that nobody wanted any more when it was done: kept by name, so that it can be deleted, and never used.
    /// </summary>
    public async Task RevokeAsync(NpgsqlConnection db, Run claim, TuningJob job, CancellationToken cancellationToken)
    {
        await db.RegisterResultAsync(claim.Id, Result(job), cancellationToken);
        await db.MarkModelFailedAsync(claim.Id, "revoked: finished before the cancellation", cancellationToken);
    }

    private TunedResult Result(TuningJob job) => new(
        job.Model ?? throw new InvalidOperationException($"tuning job {job.Name} has no model"),
        job.Endpoint ?? throw new InvalidOperationException($"tuning job {job.Name} has no endpoint"),
        job.CheckpointsJson, job.StatisticsJson, job.StartedAt, job.EndedAt ?? time.GetUtcNow());
}
