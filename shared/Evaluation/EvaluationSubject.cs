using FeedbackLoop.Runs;

namespace FeedbackLoop.Evaluation;

/// <summary>Whose answers they are, as <c>ml.model_evaluations.compared_with</c> has it.</summary>
public static class ComparedWith
{
    /// <summary>The new model.</summary>
    public const string Self = "self";

    /// <summary>The model of the same scope that extractions use until now.</summary>
    public const string Live = "live";

    /// <summary>The model of the same scope that did best of all that were in use, where that is not the one in use now.</summary>
    public const string Best = "best";

    /// <summary>The general model of the organization, for a project's model.</summary>
    public const string General = "general";

    /// <summary>The base model that extractions use without any tuned one.</summary>
    public const string Base = "base";
}

/// <summary>A model that takes part in an evaluation.</summary>
/// <param name="Role">One of <see cref="ComparedWith"/>.</param>
/// <param name="ModelId">Null for the base model.</param>
/// <param name="Endpoint">Null for the base model.</param>
/// <param name="Problem">Why it cannot be asked any more; null while it can.</param>
public sealed record EvaluationSubject(
    string Role, RunId? ModelId, int? Version, string BaseModel, string? Endpoint, string? Problem);
