using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;
using FeedbackLoop.Tuning;
using Npgsql;

namespace FeedbackLoop.Scheduling;

/// <summary>The past of a scope for a <see cref="ScheduleReplay"/>: five questions, however long the period.</summary>
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
            return new(examples, [], [], HasModel: trainedOn is not null, OrganizationRetrains: false);
        }

        var general = new Scope(scope.OrganizationId, null);
        var models = await db.ListNewlyUsedModelsAsync(general, from, to, cancellationToken);
        var organization = await db.FindScheduleAsync(general, cancellationToken);
        return new(
            examples,
            [.. models.Select(model => new GeneralModelFact(model.Id, model.FirstPromotedAt))],
            await db.ListGeneralRunPeriodsAsync(scope.OrganizationId, from, to, cancellationToken),
            HasModel: trainedOn is not null,
            OrganizationRetrains: organization is { Enabled: true, RetrainProjects: true });
    }

    private static async Task<IReadOnlyList<GeneralRunPeriod>> ListGeneralRunPeriodsAsync(
        this NpgsqlConnection db, Guid organizationId, DateTimeOffset from, DateTimeOffset to,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            select e.run_id as Id, e.state, e.at as "From", e.until as "To"
            from   (select run_id, state, at, lead(at) over (partition by run_id order by id) as until
                    from   ml.run_events
                    where  run_id in (
                        select id
                        from   ml.training_runs
                        where  organization_id = @organizationId
                        and    project_id is null
                        and    purpose = 'training'
                        and    created_at <= @to
                        and    (ended_at is null or ended_at >= @from))) e
            where  e.at <= @to
            and    (e.until is null or e.until >= @from)
            order  by e.at
            """;

        var periods = await db.QueryAsync<GeneralRunPeriod>(
            Sql.Command(sql, new { organizationId, from, to }, cancellationToken));
        return [.. periods.Where(period => GeneralTraining.IsOnItsWay(period.State))];
    }
}
