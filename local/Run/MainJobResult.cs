using System.Text.Json;
using System.Text.Json.Serialization;
using FeedbackLoop.Datasets;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using Npgsql;

namespace FeedbackLoop.Local;

/// <summary>A run that is over, with what it left.</summary>
internal sealed record TrainedModel(
    RunId Run, Guid? ProjectId, string State, string? Reason, int Examples, int TrainExamples, int ValidationExamples,
    IReadOnlyDictionary<string, int> Excluded, string? DatasetUri, string? TuningJob, string? Model, string? Status)
{
    public bool IsReady => State == RunState.Succeeded && Status == ModelStatus.Ready;

    public static async Task<TrainedModel> LoadAsync(NpgsqlConnection db, Run run, CancellationToken cancellationToken)
    {
        var dataset = run.DatasetId is { } id ? await db.FindDatasetAsync(id, cancellationToken) : null;
        var model = await db.FindModelAsync(run.Id, cancellationToken);
        var excluded = dataset is null
            ? new Dictionary<string, int>()
            : await db.ReadExcludedAsync(dataset.Id, cancellationToken);
        return new(
            run.Id, run.ProjectId, run.State, run.Reason,
            (dataset?.TrainExamples ?? 0) + (dataset?.ValidationExamples ?? 0), dataset?.TrainExamples ?? 0,
            dataset?.ValidationExamples ?? 0, excluded, dataset?.Uri, model?.TuningJob, model?.VertexModel, model?.Status);
    }
}

/// <summary>Which model the project's next extraction uses.</summary>
internal sealed record SelectedModel(
    string Tier, RunId? ModelId, int? Version, string BaseModel, string? Endpoint, string Reason);

/// <summary>The last line of <c>./run --once</c>: the general model on top, the project's inside.</summary>
internal sealed record MainJobResult(
    RunId Run, Guid Organization, int Examples, int TrainExamples, int ValidationExamples,
    IReadOnlyDictionary<string, int> Excluded, string? DatasetUri, string? TuningJob, string? Model, string? Status,
    TrainedModel? Project, SelectedModel Selected, double? Evaluation, double Seconds)
{
    public static MainJobResult Of(
        Guid organization, TrainedModel general, TrainedModel? project, ModelChoice choice, double seconds) => new(
        general.Run, organization, general.Examples, general.TrainExamples, general.ValidationExamples,
        general.Excluded, general.DatasetUri, general.TuningJob, general.Model, general.Status ?? general.State,
        project,
        new(choice.Tier, choice.ModelId, choice.Version, choice.BaseModel, choice.Endpoint, choice.Reason),
        Evaluation: null,
        seconds);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(MainJobResult))]
internal sealed partial class MainJobJson : JsonSerializerContext;
