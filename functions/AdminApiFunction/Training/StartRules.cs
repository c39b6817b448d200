using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.AdminApi.Training;

/// <summary>What is refused at once, rather than by a run that ends skipped or failed a minute later.</summary>
internal sealed class StartRules(
    IOptions<BaseModelCatalogue> models, ITuningService tuning, TimeProvider time)
{
    /// <returns>Why not; null when it may start.</returns>
    public async Task<ProblemHttpResult?> CheckTrainingAsync(
        NpgsqlConnection db, Scope scope, RunParameters parameters, CancellationToken cancellationToken)
    {
        // The plan that the train step will make again: a refusal now is better than a run that fails in a minute.
        var general = scope.IsGeneral
            ? null
            : await db.FindReadyModelAsync(scope with { ProjectId = null }, cancellationToken);
        var (_, reason) = TuningPlan.Make(
            scope, parameters.Tuning, general, models.Value, tuning.Target.Region,
            DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime));
        return reason is null
            ? null
            : Problem.Of(
                StatusCodes.Status422UnprocessableEntity, ProblemTypes.BaseModel, "This base model cannot be tuned", reason);
    }
}
