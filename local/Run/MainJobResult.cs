using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Datasets;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using Npgsql;

namespace FeedbackLoop.Local;

/// <summary>A run that is over, with what it left.</summary>
internal sealed record TrainedModel(
    RunId Run, Guid? ProjectId, string State, string? Reason, int Examples, int TrainExamples, int ValidationExamples,
    int TestExamples, IReadOnlyDictionary<string, int> Excluded, string? DatasetUri, string? TuningJob, string? Model,
    string? Status, EvaluationVerdictView? Verdict, IReadOnlyList<EvaluatedModel>? Evaluation)
{
    public bool IsReady => State == RunState.Succeeded && Status == ModelStatus.Ready;

    /// <summary>Done, and not in use, because nothing shows that it is better than what it would replace.</summary>
    public bool IsKeptBack =>
        State == RunState.Succeeded && Status == ModelStatus.Deprecated
        && Verdict?.Verdict is ModelVerdict.Worse or ModelVerdict.NoEvidence;

    public static async Task<TrainedModel> LoadAsync(NpgsqlConnection db, Run run, CancellationToken cancellationToken)
    {
        var dataset = run.DatasetId is { } id ? await db.FindDatasetAsync(id, cancellationToken) : null;
        var model = await db.FindModelAsync(run.Id, cancellationToken);
        var excluded = dataset is null
            ? new Dictionary<string, int>()
            : await db.ReadExcludedAsync(dataset.Id, cancellationToken);
        return new(
            run.Id, run.ProjectId, run.State, run.Reason,
            dataset is null ? 0 : dataset.TrainExamples + dataset.ValidationExamples + dataset.TestExamples,
            dataset?.TrainExamples ?? 0, dataset?.ValidationExamples ?? 0, dataset?.TestExamples ?? 0, excluded, dataset?.Uri,
            model?.TuningJob, model?.VertexModel, model?.Status,
            model is { Verdict: { } verdict, VerdictReason: { } reason } ? new(verdict, reason) : null,
            model is null ? null : await db.ListEvaluatedModelsAsync(model.Id, cancellationToken));
    }
}

/// <summary>Whether the new model is better than the one that it would replace, and by which figures.</summary>
internal sealed record EvaluationVerdictView(string Verdict, string Reason);

/// <summary>Which model the project's next extraction uses.</summary>
internal sealed record SelectedModel(
    string Tier, RunId? ModelId, int? Version, string BaseModel, string? Endpoint, string Reason);

/// <summary>The last line of <c>./run --once</c>: the general model on top, the project's inside.</summary>
internal sealed record MainJobResult(
    RunId Run, Guid Organization, int Examples, int TrainExamples, int ValidationExamples, int TestExamples,
    IReadOnlyDictionary<string, int> Excluded, string? DatasetUri, string? TuningJob, string? Model, string? Status,
    TrainedModel? Project, SelectedModel Selected, EvaluationVerdictView? Verdict,
    IReadOnlyList<EvaluatedModel>? Evaluation, double Seconds)
{
    public static MainJobResult Of(
        Guid organization, TrainedModel general, TrainedModel? project, ModelChoice choice, double seconds) => new(
        general.Run, organization, general.Examples, general.TrainExamples, general.ValidationExamples,
        general.TestExamples, general.Excluded, general.DatasetUri, general.TuningJob, general.Model, general.Status ?? general.State,
        project,
        new(choice.Tier, choice.ModelId, choice.Version, choice.BaseModel, choice.Endpoint, choice.Reason),
        general.Verdict,
        general.Evaluation,
        seconds);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(MainJobResult))]
internal sealed partial class MainJobJson : JsonSerializerContext;
