using System.Text.Json;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Runs;

/// <summary>A row to what people read.</summary>
internal sealed class RunPresenter(IOptions<BaseModelCatalogue> models)
{
    public RunSummary Present(RunOverview run)
    {
        var parameters = run.Parameters;
        return new(
            run.Id.Value, run.OrganizationId, run.ProjectId, run.Trigger, RequesterOf(run), run.State,
            RunTransitions.IsFinal(run.State), run.Reason, ProgressOf(run.ProgressJson), run.TrainExamples,
            run.ValidationExamples, run.TestExamples, run.BaseModel, run.ParentModelId,
            run is { ModelVersion: { } version, ModelStatus: { } status }
                ? new(run.Id.Value, version, status, run.Verdict, run.VerdictReason)
                : null,
            CostOf(run.EstimatedCostUsd, run.TuningStatisticsJson, run.BaseModel, parameters), ApprovalOf(run),
            LinkTo(run.TuningJob),
            parameters, run.CreatedAt, run.UpdatedAt, run.EndedAt);
    }

    public RunCost CostOf(
        decimal? estimatedUsd, string? tuningStatisticsJson, string? baseModel, RunParameters parameters) =>
        new(estimatedUsd, baseModel is not null && models.Value.Find(baseModel) is { } model
            && TuningStatistics.FromJson(tuningStatisticsJson) is { } counted
            ? TuningCost.ActualUsd(counted, parameters.Tuning.Epochs, model)
            : null);

    private static RunApproval? ApprovalOf(RunOverview run)
    {
        var isAsked = run.State == RunState.AwaitingApproval;
        return isAsked || run.ApprovedUsd is not null
            ? new(
                isAsked ? run.ApprovalAskedUsd : null, isAsked ? run.DeadlineAt : null, run.ApprovedUsd, run.ApprovedAt)
            : null;
    }

    public static TuningJobLink? LinkTo(string? tuningJob) =>
        TuningConsole.JobPage(tuningJob) is { } page ? new(tuningJob!, page.ToString()) : null; // a page of null is null

    public static Requester RequesterOf(RunOverview run) => run.RequestedBy.Split(':', 2) switch
    {
        [var kind, var id] => new(kind, run.RequestedByName ?? id),
        _ => new("system", run.RequestedBy),
    };

    public static ExportProgress? ProgressOf(string? json) =>
        json is null ? null : JsonSerializer.Deserialize(json, AdminJson.Default.ExportProgress);
}
