using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.Datasets;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Preflights;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Statistics;
using FeedbackLoop.Tuning;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Training;

/// <summary>What is refused at once, rather than by a run that ends skipped or failed a minute later.</summary>
internal sealed class StartRules(
    IOptions<ExportOptions> export, IOptions<BaseModelCatalogue> models, ITuningService tuning, CountingRules rules,
    PreflightChecks preflights, IOptions<AdminApiOptions> options, SpendingTerms terms, TimeProvider time)
{
    /// <returns>Why not; null when it may start.</returns>
    public async Task<ProblemHttpResult?> CheckTrainingAsync(
        HttpContext context, Caller caller, Scope scope, RunParameters parameters, CancellationToken cancellationToken) =>
        await CheckDayAsync(context, caller, scope, cancellationToken)
        ?? await CheckSpendingAsync(caller, scope, cancellationToken)
        ?? await CheckBaseModelAsync(caller, scope, parameters, cancellationToken)
        ?? await CheckDataAsync(caller, scope, parameters.Export, cancellationToken)
        ?? await CheckAllAsync(caller, scope, parameters, cancellationToken);

    /// <returns>What a project's training does not wait for, to be told to whoever starts it; null when there is nothing.</returns>
    public async Task<GeneralTraining?> FindGeneralTrainingAsync(
        Caller caller, Scope scope, RunParameters parameters, CancellationToken cancellationToken)
    {
        if (await PlanAsync(caller, scope, parameters, cancellationToken) is not ({ } plan, _))
        {
            return null;
        }

        await using var db = await caller.OpenAsync(cancellationToken);
        return await GeneralTraining.FindAsync(db, scope, plan, cancellationToken);
    }

    // The start counts once more: here it is said before the data is looked at. A run that is not over is said by the start.
    private async Task<ProblemHttpResult?> CheckDayAsync(
        HttpContext context, Caller caller, Scope scope, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var (limit, now) = (terms.Options.RunsPerDay, time.GetUtcNow());
        var today = await db.CountRunsOfDayAsync(scope, now, cancellationToken);
        return today.Refuse(limit) is { } reason
            && await db.FindLiveRunAsync(scope, RunPurpose.Training, cancellationToken) is null
            ? RunStarter.TooMany(context, today, limit, reason, now)
            : null;
    }

    private async Task<ProblemHttpResult?> CheckSpendingAsync(
        Caller caller, Scope scope, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var hold = SpendingRule.Hold(
            await db.FindSpendingStopAsync(cancellationToken),
            await db.ReadSpendingAsync(scope.OrganizationId, terms, time.GetUtcNow(), cancellationToken));
        return hold is null
            ? null
            : Problem.Of(
                StatusCodes.Status422UnprocessableEntity, ProblemTypes.Spending, "No training may start now",
                $"No training may start now: {hold}.");
    }

    private async Task<ProblemHttpResult?> CheckBaseModelAsync(
        Caller caller, Scope scope, RunParameters parameters, CancellationToken cancellationToken)
    {
        var (_, reason) = await PlanAsync(caller, scope, parameters, cancellationToken);
        return reason is null
            ? null
            : Problem.Of(
                StatusCodes.Status422UnprocessableEntity, ProblemTypes.BaseModel, "This base model cannot be tuned", reason);
    }

    // The plan that the train step will make again: a refusal now is better than a run that fails in a minute.
    private async Task<(TuningPlan? Plan, string? Reason)> PlanAsync(
        Caller caller, Scope scope, RunParameters parameters, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var general = scope.IsGeneral
            ? null
            : await db.FindReadyModelAsync(scope with { ProjectId = null }, cancellationToken);
        return TuningPlan.Choose(
            scope, parameters.Tuning, general, models.Value, tuning.Target.Region,
            DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime));
    }

    // The counts are an upper bound of what the export will find. With criteria that they are not kept for, and while
    // changes wait to be counted, only the export itself can tell.
    private async Task<ProblemHttpResult?> CheckDataAsync(
        Caller caller, Scope scope, ExportCriteria criteria, CancellationToken cancellationToken)
    {
        var usual = new ExportCriteria();
        if (VerificationLevel.Find(criteria) is not { } known
            || (criteria.RequireName, criteria.DescriptionLongerThan, criteria.MaxUndecidedShare, criteria.MaxEmptyShare)
                != (usual.RequireName, usual.DescriptionLongerThan, usual.MaxUndecidedShare, usual.MaxEmptyShare))
        {
            return null;
        }

        var reader = new StatisticsReader(caller.OpenAsync, new StatisticsFold(caller.OpenAsync, rules));
        var (examples, isComplete) = scope.ProjectId is { } project
            ? await CountAsync(reader, scope.OrganizationId, project, known, cancellationToken)
            : await CountAsync(reader, scope.OrganizationId, known, cancellationToken);
        var minimum = export.Value.MinExamples(scope, RunPurpose.Training, criteria);
        return isComplete && examples < minimum
            ? Problem.Of(
                StatusCodes.Status422UnprocessableEntity, ProblemTypes.TooLittleData, "Too little data to train on",
                $"There are {examples} examples with verified objects, and a training of this tier needs {minimum}. "
                + "Review more extractions, or lower the confidence that counts as verified.",
                ("examples", examples), ("minimum", minimum))
            : null;
    }

    // The counts do not read the texts. Where that takes seconds, it is done before anything is started; of more, and of what
    // could not be checked in time, the run's own export decides.
    private async Task<ProblemHttpResult?> CheckAllAsync(
        Caller caller, Scope scope, RunParameters parameters, CancellationToken cancellationToken)
    {
        if (!await IsCheckedAtStartAsync(caller, scope, cancellationToken)
            || await preflights.CheckAsync(
                caller, scope, RunPurpose.Training, parameters, options.Value.PreflightTimeLimit, cancellationToken)
                is not PreflightOutcome.Checked { Report: var report })
        {
            return null;
        }

        // A run that began meanwhile is named by the start itself, which is refused in the same way.
        var refusal = report.Refusals.FirstOrDefault(each => each.Kind != PreflightObstacle.LiveRun);
        return refusal?.Kind switch
        {
            null => null,
            PreflightObstacle.TooLittleData => Refused(
                report, ProblemTypes.TooLittleData, "Too little data to train on",
                $"{refusal.Reason} Review more extractions, or lower the confidence that counts as verified."),
            PreflightObstacle.DatasetLimits => Refused(
                report, ProblemTypes.DatasetLimits, "Vertex AI would not take the files", refusal.Reason),
            PreflightObstacle.BaseModel => Refused(
                report, ProblemTypes.BaseModel, "This base model cannot be tuned", refusal.Reason),
            PreflightObstacle.RunsPerDay or PreflightObstacle.Spending => Refused(
                report, ProblemTypes.Spending, "No training may start now", $"No training may start now: {refusal.Reason}."),
            var kind => throw new InvalidOperationException($"no problem for {kind}"),
        };
    }

    // What a live run is in the way of is refused for that, without a reading.
    private async Task<bool> IsCheckedAtStartAsync(Caller caller, Scope scope, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        return !await db.HasMoreExtractionsAsync(scope, options.Value.StartCheckExtractions, cancellationToken)
            && await db.FindLiveRunAsync(scope, RunPurpose.Training, cancellationToken) is null;
    }

    private static ProblemHttpResult Refused(PreflightReport report, string type, string title, string detail) =>
        Problem.Of(
            StatusCodes.Status422UnprocessableEntity, type, title, detail,
            ("examples", report.Counts.Examples), ("minimum", report.Minimum), ("excluded", report.Excluded),
            ("checkedAt", report.CheckedAt));

    private static async Task<(long Examples, bool IsComplete)> CountAsync(
        StatisticsReader reader, Guid organizationId, Guid projectId, VerificationLevel level,
        CancellationToken cancellationToken) =>
        await reader.ReadProjectAsync(organizationId, projectId, level, cancellationToken) is { } found
            ? (found.ExamplesAvailable, found.PendingChanges == 0)
            : (0, false);

    private static async Task<(long Examples, bool IsComplete)> CountAsync(
        StatisticsReader reader, Guid organizationId, VerificationLevel level, CancellationToken cancellationToken)
    {
        var found = await reader.ReadOrganizationAsync(organizationId, level, cancellationToken);
        return (found.ExamplesAvailable, found is { PendingChanges: 0, UncountedProjects: 0 });
    }
}
