using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.Evaluation;

namespace FeedbackLoop.AdminApi.Models;

/// <summary>A model of the registry, in a list.</summary>
/// <param name="Id">Also the id of the run that made it.</param>
/// <param name="ProjectId">Null: a general model.</param>
/// <param name="Type"><c>general</c> or <c>project</c>.</param>
/// <param name="Version">1 for the first model of its scope.</param>
/// <param name="ParentModelId">The general model that it goes on from; null: from the base model.</param>
/// <param name="Taint">Null: no document that it, or a model below it, has learnt from was forgotten or deleted.</param>
internal sealed record ModelSummary(
    Guid Id, Guid OrganizationId, Guid? ProjectId, string Type, int Version, string Status, string? StatusReason,
    string BaseModel, Guid? ParentModelId, int TrainingExamples, int ValidationExamples, DateTimeOffset CreatedAt,
    DateTimeOffset? TrainingStartedAt, DateTimeOffset? TrainingCompletedAt, DateTimeOffset? PromotedAt,
    ModelVerdictView? Verdict, ModelTaint? Taint = null);

/// <summary>Why a model should be trained again: a document that it has learnt from was forgotten, or deleted in the product.</summary>
/// <param name="Since">When that was found.</param>
/// <param name="Reason">For people.</param>
internal sealed record ModelTaint(DateTimeOffset Since, string Reason);

/// <summary>Whether the model is better than the one that it would replace, on documents that no tuning job was given.</summary>
/// <param name="Verdict"><c>better</c>, <c>no_evidence</c> or <c>worse</c>.</param>
/// <param name="Reason">With the figures.</param>
internal sealed record ModelVerdictView(string Verdict, string Reason);

/// <summary>One of the models that were asked about the same held-out chunks.</summary>
/// <param name="Role">
/// <c>self</c>: the new model; <c>live</c>: the one in use until now; <c>best</c>: the best of the scope that was ever in use,
/// where that is another one; <c>general</c>; or <c>base</c>.
/// </param>
/// <param name="ModelId">Null for the base model.</param>
/// <param name="Problem">Why it could not be asked.</param>
/// <param name="IsReference">Whether the verdict is about this one.</param>
/// <param name="Answers">Chunks that it has answered until now; of the best one also in earlier evaluations.</param>
/// <param name="CostUsd">US dollars for its answers in this evaluation.</param>
/// <param name="Scores">Null until the evaluation is over.</param>
/// <param name="Comparison">New model against this one: differences of F1 with 95 % intervals; null for the new model itself.</param>
internal sealed record EvaluatedModelView(
    string Role, Guid? ModelId, int? Version, string BaseModel, string? Problem, bool IsReference, int Answers,
    decimal CostUsd, EvaluationScores? Scores, EvaluationComparison? Comparison);

/// <summary>What Vertex counted.</summary>
/// <param name="DroppedExamples">Left out by Vertex, most often for their length; <paramref name="DroppedReasons"/> say why.</param>
internal sealed record TuningCounts(
    long Examples, long BillableTokens, long Steps, long DroppedExamples, IReadOnlyList<string> DroppedReasons);

/// <param name="Epoch">Checkpoints are kept once an epoch.</param>
internal sealed record Checkpoint(string Id, long Epoch, long Step);

/// <summary>A model with all that is known of it.</summary>
/// <param name="VertexModel">Null while it is being trained.</param>
/// <param name="PromptHash">SHA-256 of the prompt that it was tuned with, and wants to be asked with.</param>
/// <param name="DatasetHref">Its files, relative to the API's root.</param>
/// <param name="Evaluation">Empty when nothing was held out.</param>
internal sealed record ModelDetails(
    ModelSummary Model, string? VertexModel, string? VertexEndpoint, string PromptHash, string DatasetUri,
    string DatasetHref, string RunHref, TuningJobLink? TuningJob, TuningCounts? Tuning,
    IReadOnlyList<Checkpoint> Checkpoints, RunCost Cost, IReadOnlyList<EvaluatedModelView> Evaluation);

/// <summary>A model as it is at this moment, with Vertex's own word on its job.</summary>
/// <param name="TuningJob">Null when Vertex could not be asked, or does not know the job; then <paramref name="Trouble"/> says so.</param>
internal sealed record ModelLiveStatus(
    Guid Id, string Status, string? StatusReason, string RunState, string? RunReason, LiveTuningJob? TuningJob,
    string? Trouble);

/// <param name="State">Vertex's own word, such as <c>Running</c>.</param>
internal sealed record LiveTuningJob(
    string Name, string State, bool IsOver, string? Error, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt);

/// <param name="Reason">For the audit log; at most 500 characters.</param>
internal sealed record PromoteInput(string? Reason = null);

/// <param name="Replaced">The model that was ready until now.</param>
internal sealed record Promotion(Guid Id, string Status, Guid? Replaced);
