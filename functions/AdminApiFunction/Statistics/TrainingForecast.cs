using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.Datasets;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Statistics;

/// <summary>What a training with default parameters would cost, before anything is exported for it.</summary>
internal sealed class TrainingForecast(
    IOptions<BaseModelCatalogue> models, IOptions<TuningOptions> tuning, IOptions<ExportOptions> export)
{
    /// <returns>Null when nothing of the organization was exported yet: nobody knows how long its examples are.</returns>
    public async Task<CostForecast?> EstimateAsync(
        Caller caller, Scope scope, long examples, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        if (await db.FindTokensPerExampleAsync(scope, cancellationToken) is not { } perExample)
        {
            return null;
        }

        var general = scope.IsGeneral
            ? null
            : await db.FindReadyModelAsync(scope with { ProjectId = null }, cancellationToken);
        var model = models.Value.Find(general?.BaseModel ?? models.Value.DefaultId) ?? models.Value.GetDefault();

        // The examples that are held out, and those that validate, are not trained on.
        var trained = examples * (1 - export.Value.TestShare) * (1 - new ExportCriteria().ValidationShare);
        var tokens = (long)Math.Ceiling(trained * perExample);
        var epochs = tuning.Value.AssumedEpochs;
        return new(
            model.Id, tokens, epochs, model.TrainingPrice, TuningCost.EstimateUsd(tokens, epochs, epochs, model));
    }
}
