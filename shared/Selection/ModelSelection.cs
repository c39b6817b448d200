using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;

namespace FeedbackLoop.Selection;

/// <summary>Tiers, as <c>ml.extraction_results</c> holds them.</summary>
public static class ModelTier
{
    public const string Project = "project";
    public const string General = "general";
    public const string Base = "base";
}

/// <summary>The model that an extraction shall use.</summary>
/// <param name="Tier">One of <see cref="ModelTier"/>.</param>
/// <param name="ModelId">Null for the base model.</param>
/// <param name="Version">Within the model's scope; null for the base model.</param>
/// <param name="BaseModel">The one asked, or the one that the tuned model rests on.</param>
/// <param name="Endpoint">Null for the base model.</param>
/// <param name="PromptHash">Of the prompt that the model was tuned with; null for the base model.</param>
/// <param name="Reason">For people: why this one.</param>
public sealed record ModelChoice(
    string Tier, RunId? ModelId, int? Version, string BaseModel, string? Endpoint, string? PromptHash, string Reason);

/// <summary>Which model an extraction uses: its project's, else its organization's, else the base model.</summary>
public static class ModelSelection
{
    public static ModelChoice Choose(ReadyModel? projectReady, ReadyModel? generalReady, BaseModel baseModel) =>
        (projectReady, generalReady) switch
        {
            ({ } project, _) => Tuned(ModelTier.Project, project, "the project has a ready model"),
            (null, { } general) => Tuned(
                ModelTier.General, general, "the project has no ready model, its organization has one"),
            _ => Base(baseModel, "neither the project nor its organization has a ready model"),
        };

    /// <summary>The tier to ask when one does not answer: the base model is always there.</summary>
    /// <param name="generalReady">Of the organization; not asked for when it is the one that failed.</param>
    public static ModelChoice Next(string failedTier, ReadyModel? generalReady, BaseModel baseModel) =>
        failedTier == ModelTier.Project && generalReady is not null
            ? Tuned(ModelTier.General, generalReady, "the project's model does not answer")
            : Base(baseModel, "no tuned model answers");

    /// <summary>While all spending is stopped no tuned model is asked.</summary>
    /// <param name="stop">Null: nothing is stopped, and the choice stands.</param>
    public static ModelChoice WhileStopped(ModelChoice choice, SpendingStop? stop, BaseModel baseModel) =>
        stop is null || choice.Tier == ModelTier.Base ? choice : Base(baseModel, stop.InWords());

    /// <summary>The last tier, also when nothing is known.</summary>
    public static ModelChoice Base(BaseModel baseModel, string reason) =>
        new(ModelTier.Base, null, null, baseModel.Id, null, null, reason);

    private static ModelChoice Tuned(string tier, ReadyModel model, string reason) =>
        new(tier, model.Id, model.Version, model.BaseModel, model.Endpoint, model.PromptHash, reason);
}
