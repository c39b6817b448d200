using FeedbackLoop.Datasets;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Tuning;

/// <summary>From what a run's model is tuned.</summary>
/// <param name="BaseModel">Of the job itself, or of the model that it goes on from.</param>
/// <param name="Parent">The general model that a project's model goes on from; null: from the base model.</param>
public sealed record TuningPlan(string BaseModel, ReadyModel? Parent)
{
    /// <summary>
    /// A project goes on from its organization's ready general model, if there is one; everything else starts at a base
    /// model. A general model that cannot be tuned further stops the run: a project model made without it would take its
    /// place in every extraction of the project and know less.
    /// </summary>
    /// <returns>The plan, or why there is none.</returns>
    public static (TuningPlan? Plan, string? Reason) Make(
        Run run, Dataset dataset, ReadyModel? general, BaseModelCatalogue catalogue, string region, DateOnly today) =>
        DatasetLimits.Check(dataset) is { } limit
            ? (null, limit)
            : Choose(run.Scope, run.Parameters.Tuning, general, catalogue, region, today);

    /// <summary>
    /// The part that is known before there is a dataset, so that whoever asks for a run hears of it at once. It is decided
    /// again when the job is made: the registry may have changed meanwhile.
    /// </summary>
    /// <inheritdoc cref="Make" path="/returns"/>
    public static (TuningPlan? Plan, string? Reason) Choose(
        Scope scope, TuningParameters wish, ReadyModel? general, BaseModelCatalogue catalogue, string region,
        DateOnly today)
    {
        var parent = scope.IsGeneral ? null : general;
        var baseModel = parent?.BaseModel ?? wish.BaseModel ?? catalogue.DefaultId;
        var reason = catalogue.CheckTuning(baseModel, region, parent is not null, wish.AdapterSize, today);
        return (reason, parent) switch
        {
            (null, _) => (new TuningPlan(baseModel, parent), null),
            (_, null) => (null, reason),
            _ => (null, $"the general model cannot be tuned further, train it again first: {reason}"),
        };
    }
}
