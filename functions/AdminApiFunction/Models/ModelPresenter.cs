using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;

namespace FeedbackLoop.AdminApi.Models;

/// <summary>A row of the registry to what people read.</summary>
internal static class ModelPresenter
{
    public static ModelSummary Present(FineTunedModel model) => new(
        model.Id.Value, model.OrganizationId, model.ProjectId, model.Scope.IsGeneral ? "general" : "project",
        model.Version, model.Status, model.StatusReason, model.BaseModel, model.ParentModelId?.Value,
        model.TrainingExamples, model.ValidationExamples, model.CreatedAt, model.TrainingStartedAt,
        model.TrainingCompletedAt, model.PromotedAt,
        model is { Verdict: { } verdict, VerdictReason: { } reason } ? new(verdict, reason) : null,
        model is { TaintedSince: { } since, TaintReason: { } why } ? new(since, why) : null);

    public static ModelDetails Present(
        FineTunedModel model, RunOverview run, IReadOnlyList<EvaluatedModel> evaluated, RunPresenter runs) => new(
        Present(model), model.VertexModel, model.VertexEndpoint, model.PromptHash, model.TrainingDatasetUri,
        RunStarter.HrefOf(model.Id, RunPurpose.Export), RunStarter.HrefOf(model.Id, RunPurpose.Training),
        RunPresenter.LinkTo(model.TuningJob),
        TuningStatistics.FromJson(model.TuningStatisticsJson) is { } counted
            ? new(counted.Examples, counted.BillableTokens, counted.Steps, counted.DroppedExamples, counted.DroppedReasons)
            : null,
        [.. TunedCheckpoint.FromJson(model.CheckpointsJson).Select(each => new Checkpoint(each.Id, each.Epoch, each.Step))],
        runs.CostOf(run.EstimatedCostUsd, model.TuningStatisticsJson, model.BaseModel, run.Parameters),
        [.. evaluated.Select(Present)]);

    private static EvaluatedModelView Present(EvaluatedModel each) => new(
        each.Subject.Role, each.Subject.ModelId?.Value, each.Subject.Version, each.Subject.BaseModel, each.Subject.Problem,
        each.IsReference, each.Answers, each.CostUsd, each.Scores, each.Comparison);
}
