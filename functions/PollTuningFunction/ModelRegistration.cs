using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>The registry's part of the evaluation: short enough for a list.</summary>
/// <param name="Reference">Whom the verdict is about: <c>live</c>, <c>general</c> or <c>base</c>; null without an evaluation.</param>
internal sealed record EvaluationSummary(
    string? Reference, int Chunks, int Documents, double? EntityF1, double? ReferenceEntityF1, double? RelationshipF1,
    double? ReferenceRelationshipF1)
{
    public static EvaluationSummary Of(EvaluationReport report)
    {
        var self = report.Models.FirstOrDefault(model => model.Role == ComparedWith.Self)?.Scores;
        var reference = report.Models.FirstOrDefault(model => model.Role == report.Reference);
        return new(
            report.Reference, self?.Chunks ?? 0, reference?.Comparison?.Documents ?? 0, self?.Entities.F1,
            reference?.Scores.Entities.F1, self?.TypedRelationships.F1, reference?.Scores.TypedRelationships.F1);
    }
}

/// <summary>A finished tuning job to the registry; and after its evaluation model, run and message in one transaction.</summary>
internal sealed class ModelRegistration(IOptions<BaseModelCatalogue> catalogue, TimeProvider time)
{
    private const string Actor = "system:poll";

    /// <summary>Notes what the job left and has cost. The model is asked from here on, and used by nobody yet.</summary>
    public async Task<FineTunedModel> RegisterAsync(
        NpgsqlConnection db, Run claim, TuningJob job, CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        await db.RegisterResultAsync(claim.Id, Result(job), cancellationToken);
        var model = await db.FindModelAsync(claim.Id, cancellationToken)
            ?? throw new InvalidOperationException($"run {claim.Id} has a tuning job and no model");
        if (CostOf(claim, job, model.BaseModel) is { } usd)
        {
            await db.MarkCostAsync(claim.Id, usd, cancellationToken);
        }

        await tx.CommitAsync(cancellationToken);
        return model;
    }

    /// <summary>The new model goes live, or is kept back, as its evaluation says.</summary>
    /// <returns>What was done, for people; null when the claim is lost.</returns>
    public async Task<string?> EndAsync(
        NpgsqlConnection db, Run claim, FineTunedModel candidate, EvaluationProgress.Finished finished,
        CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var report = finished.Report;
        await db.StoreScoresAsync(candidate.Id, report, cancellationToken);
        await db.StoreVerdictAsync(
            candidate.Id, VerdictOf(report.Decision.Verdict), report.Decision.Reason,
            JsonSerializer.Serialize(EvaluationSummary.Of(report), RegistrationJson.Default.EvaluationSummary),
            cancellationToken);

        var obstacle = await FindObstacleAsync(db, candidate, finished, cancellationToken);
        if (!await db.MarkSucceededAsync(claim, obstacle, cancellationToken))
        {
            return null;
        }

        if (obstacle is null)
        {
            await PromoteAsync(db, candidate, report.Decision, cancellationToken);
        }
        else
        {
            await KeepBackAsync(db, candidate, obstacle, cancellationToken);
        }

        await db.AddMessageAsync(
            claim.Id, Topics.TrainingFinished, new TrainingFinished(claim.Id), MessageJson.Default.TrainingFinished,
            cancellationToken);
        await tx.CommitAsync(cancellationToken);
        PipelineMetrics.ModelJudged(claim.Scope, VerdictOf(report.Decision.Verdict), isLive: obstacle is null);
        return obstacle ?? $"live, {report.Decision.Reason}";
    }

    /// <summary>
    /// A model that nobody wanted any more when it was done: kept by name, so that it can be deleted, and never used.
    /// </summary>
    public async Task RevokeAsync(NpgsqlConnection db, Run claim, TuningJob job, CancellationToken cancellationToken)
    {
        await RegisterAsync(db, claim, job, cancellationToken);
        await db.MarkModelFailedAsync(claim.Id, "revoked: finished before the cancellation", cancellationToken);
    }

    private decimal? CostOf(Run claim, TuningJob job, string baseModel) =>
        TuningStatistics.FromJson(job.StatisticsJson) is { } counted && catalogue.Value.Find(baseModel) is { } model
            ? TuningCost.ActualUsd(counted, claim.Parameters.Tuning.Epochs, model)
            : null;

    // The scope stays locked: whoever promotes by hand meanwhile waits, and then decides knowing of this.
    private static async Task<string?> FindObstacleAsync(
        NpgsqlConnection db, FineTunedModel candidate, EvaluationProgress.Finished finished,
        CancellationToken cancellationToken)
    {
        var inUse = await db.LockModelInUseAsync(candidate.Scope, cancellationToken);
        var decision = finished.Report.Decision;
        return !decision.GoesLive
            ? $"not in use, {(decision.Verdict == EvaluationVerdict.Worse ? "worse" : "no evidence that it is better")}: "
                + decision.Reason
            : inUse?.Id != finished.InUse
                ? "not in use: somebody changed the model in use while this one was evaluated against the one before"
                : null;
    }

    private async Task PromoteAsync(
        NpgsqlConnection db, FineTunedModel candidate, PromotionDecision decision, CancellationToken cancellationToken)
    {
        if (await db.PromoteAsync(candidate.Id, cancellationToken) is PromotionOutcome.Refused refused)
        {
            throw new InvalidOperationException(refused.Reason);
        }

        await db.AddAuditEntryAsync(
            candidate.Scope, Actor, "promote-model", $"model {candidate.Id}",
            $"{VerdictOf(decision.Verdict)}: {decision.Reason}", time.GetUtcNow(), cancellationToken);
    }

    private async Task KeepBackAsync(
        NpgsqlConnection db, FineTunedModel candidate, string obstacle, CancellationToken cancellationToken)
    {
        if (!await db.KeepBackAsync(candidate.Id, obstacle, cancellationToken))
        {
            throw new InvalidOperationException($"model {candidate.Id} is not in training any more");
        }

        await db.AddAuditEntryAsync(
            candidate.Scope, Actor, "keep-model-back", $"model {candidate.Id}", obstacle, time.GetUtcNow(),
            cancellationToken);
        await db.NotifyAdminsAsync(
            [
                new AdminNotice(
                    candidate.Scope, "A new model is not in use",
                    $"Version {candidate.Version} is trained, and {obstacle}. Extractions go on as before. You may promote it "
                    + "all the same, with a reason.",
                    "warning", candidate.Id),
            ],
            time.GetUtcNow(), cancellationToken);
    }

    private static string VerdictOf(EvaluationVerdict verdict) => verdict switch
    {
        EvaluationVerdict.Better => ModelVerdict.Better,
        EvaluationVerdict.NoEvidence => ModelVerdict.NoEvidence,
        EvaluationVerdict.Worse => ModelVerdict.Worse,
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, null),
    };

    private TunedResult Result(TuningJob job) => new(
        job.Model ?? throw new InvalidOperationException($"tuning job {job.Name} has no model"),
        job.Endpoint ?? throw new InvalidOperationException($"tuning job {job.Name} has no endpoint"),
        job.CheckpointsJson, job.StatisticsJson, job.StartedAt, job.EndedAt ?? time.GetUtcNow());
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(EvaluationSummary))]
internal sealed partial class RegistrationJson : JsonSerializerContext;
