using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Npgsql;

namespace FeedbackLoop.Lineage;

/// <summary>Follows a document, a chunk or an object to the datasets and models that hold it.</summary>
/// <param name="assumedEpochs">See <see cref="TuningOptions.AssumedEpochs"/>.</param>
public sealed class LineageReader(BaseModelCatalogue catalogue, int assumedEpochs)
{
    /// <param name="visible">What the caller may see; of the rest there are numbers.</param>
    /// <param name="limit">Most datasets, and most models, the latest first.</param>
    public async Task<LineageAnswer> ReadAsync(
        NpgsqlConnection db, LineageSubject subject, ScopeFilter visible, int limit, CancellationToken cancellationToken)
    {
        var forgotten = subject.Kind == LineageSubjectKind.Document
            ? await db.FindForgottenAsync(subject.Id, cancellationToken)
            : null;
        var datasets = await db.ListLineageDatasetsAsync(subject, visible, limit, cancellationToken);
        var models = await db.ListLineageModelsAsync(subject, visible, limit, cancellationToken);
        var counts = await db.CountLineageAsync(subject, visible, cancellationToken);
        var tainted = await db.ListTaintedInUseAsync(subject, visible, limit, cancellationToken);
        return new(
            subject.Kind, subject.Id, subject.Scope.OrganizationId, subject.Scope.ProjectId, subject.IsDeleted,
            forgotten is null ? null : LineageForgetting.Of(forgotten), counts.Datasets, datasets, counts.Models, models,
            new(counts.OtherDatasets, counts.OtherModels, counts.OtherModelsInUse),
            [.. tainted.Select(CostOf)]);
    }

    private RetrainingCost CostOf(TaintedInUse model) => new(
        model.OrganizationId, model.ProjectId, model.Id,
        catalogue.Find(model.BaseModel) is { } priced
            ? TuningCost.EstimateUsd(
                model.EstimatedTokens, RunParameters.FromJson(model.ParametersJson).Tuning.Epochs, assumedEpochs, priced)
            : null);
}
