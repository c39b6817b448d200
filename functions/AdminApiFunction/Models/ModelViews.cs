using FeedbackLoop.AdminApi.Runs;

namespace FeedbackLoop.AdminApi.Models;

/// <summary>A model of the registry, in a list.</summary>
/// <param name="Id">Also the id of the run that made it.</param>
/// <param name="ProjectId">Null: a general model.</param>
/// <param name="Type"><c>general</c> or <c>project</c>.</param>
/// <param name="Version">1 for the first model of its scope.</param>
/// <param name="ParentModelId">The general model that it goes on from; null: from the base model.</param>
internal sealed record ModelSummary(
    Guid Id, Guid OrganizationId, Guid? ProjectId, string Type, int Version, string Status, string? StatusReason,
    string BaseModel, Guid? ParentModelId, int TrainingExamples, int ValidationExamples, DateTimeOffset CreatedAt,
    DateTimeOffset? TrainingStartedAt, DateTimeOffset? TrainingCompletedAt, DateTimeOffset? PromotedAt);

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
internal sealed record ModelDetails(
    ModelSummary Model, string? VertexModel, string? VertexEndpoint, string PromptHash, string DatasetUri,
    string DatasetHref, string RunHref, TuningJobLink? TuningJob, TuningCounts? Tuning,
    IReadOnlyList<Checkpoint> Checkpoints, RunCost Cost);

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
