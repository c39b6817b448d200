using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;
using Npgsql;

namespace FeedbackLoop.Scheduling;

/// <summary>The past of a scope for a <see cref="ScheduleReplay"/>: four questions, however long the period.</summary>
public static class ReplayQueries
{
    /// <param name="parameters">Keep <see cref="ScheduleRules"/>.</param>
    public static async Task<ReplayHistory> ReadReplayHistoryAsync(
        this NpgsqlConnection db, CountingRules rules, Scope scope, ScheduleParameters parameters, DateTimeOffset from,
        DateTimeOffset to, CancellationToken cancellationToken)
    {
        var level = VerificationLevel.Of(parameters.ToRunParameters().Export);
        var trainedOn = await db.FindTrainedOnAsync(scope, from, cancellationToken);
        var examples = await db.ListExamplesByHourAsync(rules, scope, level, trainedOn, from, to, cancellationToken);
        if (scope.IsGeneral)
        {
            return new(examples, [], HasModel: trainedOn is not null, OrganizationRetrains: false);
        }

        var general = new Scope(scope.OrganizationId, null);
        var models = await db.ListNewlyUsedModelsAsync(general, from, to, cancellationToken);
        var organization = await db.FindScheduleAsync(general, cancellationToken);
        return new(
            examples,
            [.. models.Select(model => new GeneralModelFact(model.Id, model.FirstPromotedAt))],
            HasModel: trainedOn is not null,
            OrganizationRetrains: organization is { Enabled: true, RetrainProjects: true });
    }
}
