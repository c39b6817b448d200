using FeedbackLoop.Runs;

namespace FeedbackLoop.Registry;

/// <summary>States of a model, as <c>ml.fine_tuned_models.status</c> holds them.</summary>
public static class ModelStatus
{
    public const string Training = "training";

    /// <summary>Used by extractions; one per scope at most.</summary>
    public const string Ready = "ready";

    public const string Failed = "failed";

    /// <summary>Was ready, or was never promoted. Its endpoint is kept, so that a rollback can use it.</summary>
    public const string Deprecated = "deprecated";
}

/// <summary>What the evaluation says of a model, as <c>ml.fine_tuned_models.verdict</c> holds it.</summary>
public static class ModelVerdict
{
    public const string Better = "better";
    public const string NoEvidence = "no_evidence";

    /// <summary>Does not go live by itself; a person who promotes it says why.</summary>
    public const string Worse = "worse";
}

/// <summary>A row of <c>ml.fine_tuned_models</c>.</summary>
public sealed record FineTunedModel
{
    /// <summary>The id of the run that made it.</summary>
    public required RunId Id { get; init; }

    public required Guid OrganizationId { get; init; }
    public Guid? ProjectId { get; init; }

    /// <summary>1 for the first model of its scope.</summary>
    public required int Version { get; init; }

    public required string Status { get; init; }
    public string? StatusReason { get; init; }
    public required string BaseModel { get; init; }
    public RunId? ParentModelId { get; init; }
    public required string TuningJob { get; init; }
    public string? VertexModel { get; init; }
    public string? VertexEndpoint { get; init; }
    public required string CheckpointsJson { get; init; }
    public required string TuningStatisticsJson { get; init; }
    public required string EvaluationMetricsJson { get; init; }

    /// <summary>One of <see cref="ModelVerdict"/>; null before the evaluation is over.</summary>
    public string? Verdict { get; init; }

    /// <summary>With the figures; null before the evaluation is over.</summary>
    public string? VerdictReason { get; init; }

    public required string PromptHash { get; init; }
    public required Guid DatasetId { get; init; }
    public required string TrainingDatasetUri { get; init; }
    public required int TrainingExamples { get; init; }
    public required int ValidationExamples { get; init; }
    public DateTimeOffset? TrainingStartedAt { get; init; }
    public DateTimeOffset? TrainingCompletedAt { get; init; }
    public DateTimeOffset? PromotedAt { get; init; }

    /// <summary>When extractions first used it; a rollback does not move it.</summary>
    public DateTimeOffset? FirstPromotedAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>
    /// When it was found that a document which it, or a model below it, has learnt from was forgotten or deleted; null: none was.
    /// </summary>
    public DateTimeOffset? TaintedSince { get; init; }

    /// <summary>For people; null with <see cref="TaintedSince"/>.</summary>
    public string? TaintReason { get; init; }

    public Scope Scope => new(OrganizationId, ProjectId);
}

/// <summary>A model that extractions may use.</summary>
/// <param name="Endpoint">As Vertex gave it, with the region of the tuning job.</param>
/// <param name="PromptHash">Of the prompt that it was tuned with, and wants to be asked with.</param>
public sealed record ReadyModel(
    RunId Id, Guid? ProjectId, int Version, string BaseModel, string VertexModel, string Endpoint, string PromptHash);

/// <summary>A model that was ready at some time.</summary>
/// <param name="FirstPromotedAt">When extractions first used it.</param>
public sealed record NewlyUsedModel(RunId Id, DateTimeOffset FirstPromotedAt);

/// <summary>A row to be, when a tuning job is known.</summary>
public sealed record NewModel(
    RunId Id, Scope Scope, string BaseModel, RunId? ParentModelId, string TuningJob, string PromptHash, Guid DatasetId,
    string TrainingDatasetUri, int TrainingExamples, int ValidationExamples);

/// <summary>What a finished tuning job left.</summary>
public sealed record TunedResult(
    string VertexModel, string VertexEndpoint, string CheckpointsJson, string TuningStatisticsJson,
    DateTimeOffset? StartedAt, DateTimeOffset CompletedAt);

/// <summary>What came of a wish to make a model ready.</summary>
public abstract record PromotionOutcome
{
    private PromotionOutcome()
    {
    }

    /// <param name="Replaced">The model that was ready until now.</param>
    public sealed record Promoted(RunId? Replaced) : PromotionOutcome;

    public sealed record AlreadyReady : PromotionOutcome;

    public sealed record Refused(string Reason) : PromotionOutcome;

    /// <summary>The model was evaluated as worse: whoever promotes it all the same has to say why.</summary>
    /// <param name="Verdict">With the figures.</param>
    public sealed record ReasonNeeded(string Verdict) : PromotionOutcome;
}
