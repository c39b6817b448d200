using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Spending;
using FeedbackLoop.Statistics;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Schedules;

/// <summary>A schedule as the page shows it: its settings, what comes next, what it would find, and what the last tick said.</summary>
internal sealed class SchedulePresenter(IOptions<ExportOptions> export, CountingRules rules, SpendingTerms terms, TimeProvider time)
{
    private const int NextTimes = 5;

    /// <param name="schedule">Null: nobody has set one.</param>
    public async Task<ScheduleView> PresentAsync(
        Caller caller, Scope scope, Schedule? schedule, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var settings = schedule?.Settings ?? new ScheduleSettings();
        var estimate = await EstimateAsync(caller, scope, settings.Parameters, cancellationToken);
        await using var db = await caller.OpenAsync(cancellationToken);
        var spending = await db.ReadSpendingAsync(scope.OrganizationId, terms, now, cancellationToken);
        var hold = SpendingRule.Hold(await db.FindSpendingStopAsync(cancellationToken), spending)
            ?? (await db.CountRunsOfDayAsync(scope, now, cancellationToken)).Refuse(terms.Options.RunsPerDay);
        var times = schedule is { HasCron: true } ? CronTimes.Find(schedule.CronExpression, schedule.TimeZone) : null;
        return new ScheduleView(
            scope.OrganizationId, scope.ProjectId, schedule?.RowVersion ?? 0, settings,
            [.. times?.Following(now, NextTimes).Select(times.InZone) ?? []],
            schedule?.WaitingSlot is { } slot ? times?.InZone(slot) : null, estimate, schedule?.LastTrainingAt, schedule?.LastExampleCount,
            schedule is { LastDecision: { } outcome, LastDecisionReason: { } reason, LastDecisionAt: { } at }
                ? new(outcome, reason, at)
                : null,
            schedule?.OpenRunId?.Value, schedule?.Retries ?? 0, hold,
            scope.IsGeneral ? SpendingView.Of(spending) : null, schedule?.UpdatedAt);
    }

    private async Task<ScheduleEstimate> EstimateAsync(
        Caller caller, Scope scope, ScheduleParameters parameters, CancellationToken cancellationToken)
    {
        var level = VerificationLevel.Of(parameters.ToRunParameters().Export);
        var reader = new StatisticsReader(caller.OpenAsync, new StatisticsFold(caller.OpenAsync, rules));
        var minimum = export.Value.MinExamples(scope, RunPurpose.Training, new ExportCriteria());
        if (scope.ProjectId is { } project)
        {
            var found = await reader.ReadProjectAsync(scope.OrganizationId, project, level, cancellationToken);
            return new(found?.ExamplesAvailable ?? 0, minimum, found?.NewExamplesSinceLastTraining);
        }

        var all = await reader.ReadOrganizationAsync(scope.OrganizationId, level, cancellationToken);
        return new(all.ExamplesAvailable, minimum, all.NewExamplesSinceLastTraining);
    }
}
