using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Datasets;
using FeedbackLoop.Preflights;
using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Statistics;

/// <summary>How much verified data there is, and what a training of it would cost.</summary>
internal static class StatisticsApi
{
    public static void MapStatistics(this IEndpointRouteBuilder api)
    {
        api.MapGet("/training-export/stats/{projectId:guid}", ReadProjectAsync)
            .WithTags("Statistics").WithName("GetProjectStatistics").Needs(ScopeRole.Member);
        api.MapGet("/organizations/{organizationId:guid}/training/stats", ReadOrganizationAsync)
            .WithTags("Statistics").WithName("GetOrganizationStatistics").Needs(ScopeRole.Member);
    }

    private static async Task<Results<Ok<ProjectStatisticsView>, ProblemHttpResult>> ReadProjectAsync(
        Guid projectId, Caller caller, IOptions<ExportOptions> export, TrainingForecast forecast, CountingRules rules,
        CancellationToken cancellationToken, double? minConfidence = null, bool humanReviewedOnly = false,
        bool countOwnAcceptances = false)
    {
        if (!TryReadLevel(minConfidence, humanReviewedOnly, countOwnAcceptances, out var level, out var invalid))
        {
            return invalid;
        }

        if (!caller.May(
            await caller.FindProjectScopeAsync(projectId, cancellationToken), "project", out var scope, out var refusal))
        {
            return refusal;
        }

        var reader = new StatisticsReader(caller.OpenAsync, new StatisticsFold(caller.OpenAsync, rules));
        return await reader.ReadProjectAsync(scope.OrganizationId, projectId, level, cancellationToken) is { } found
            ? TypedResults.Ok(new ProjectStatisticsView(
                found, TrainingMinimum.Of(export.Value.MinProjectExamples, found.ExamplesAvailable, found.RecentExamples),
                await forecast.EstimateAsync(caller, scope, found.ExamplesAvailable, cancellationToken),
                LastPreflight.Of(
                    await FindPreflightAsync(caller, scope, cancellationToken), CriteriaOf(minConfidence, humanReviewedOnly),
                    found.LastChangeAt, found.PendingChanges)))
            : Problem.NotFound("project");
    }

    private static async Task<Results<Ok<OrganizationStatisticsView>, ProblemHttpResult>> ReadOrganizationAsync(
        Guid organizationId, Caller caller, IOptions<ExportOptions> export, TrainingForecast forecast, CountingRules rules,
        CancellationToken cancellationToken, double? minConfidence = null, bool humanReviewedOnly = false,
        bool countOwnAcceptances = false)
    {
        if (!TryReadLevel(minConfidence, humanReviewedOnly, countOwnAcceptances, out var level, out var invalid))
        {
            return invalid;
        }

        var scope = new Scope(organizationId, null);
        if (!caller.May(scope, "organization", out var refusal))
        {
            return refusal;
        }

        var reader = new StatisticsReader(caller.OpenAsync, new StatisticsFold(caller.OpenAsync, rules));
        var found = await reader.ReadOrganizationAsync(organizationId, level, cancellationToken);
        return TypedResults.Ok(new OrganizationStatisticsView(
            ShownTo(caller.Person, found),
            TrainingMinimum.Of(export.Value.MinGeneralExamples, found.ExamplesAvailable, found.RecentExamples),
            await forecast.EstimateAsync(caller, scope, found.ExamplesAvailable, cancellationToken),
            LastPreflight.Of(
                await FindPreflightAsync(caller, scope, cancellationToken), CriteriaOf(minConfidence, humanReviewedOnly),
                found.LastChangeAt, found.PendingChanges)));
    }

    private static async Task<PreflightReport?> FindPreflightAsync(
        Caller caller, Scope scope, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        return await db.FindPreflightAsync(scope, cancellationToken);
    }

    private static ExportCriteria CriteriaOf(double? minConfidence, bool humanReviewedOnly)
    {
        var usual = new ExportCriteria();
        return usual with
        {
            MinConfidence = minConfidence ?? usual.MinConfidence,
            HumanReviewedOnly = humanReviewedOnly,
        };
    }

    // The sums are the organization's. Which projects there are, only their own people and the admins may know.
    private static OrganizationStatistics ShownTo(Person person, OrganizationStatistics all) => all with
    {
        Projects =
        [
            .. all.Projects.Where(
                each => person.RoleIn(new Scope(all.OrganizationId, each.ProjectId)) != ScopeRole.None),
        ],
    };

    private static bool TryReadLevel(
        double? minConfidence, bool humanReviewedOnly, bool countOwnAcceptances, out VerificationLevel level,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out ProblemHttpResult? refusal)
    {
        var asked = minConfidence ?? new ExportCriteria().MinConfidence;
        var criteria = new ExportCriteria { MinConfidence = asked, CountOwnAcceptances = countOwnAcceptances };
        var found = VerificationLevel.Find(criteria);
        level = humanReviewedOnly ? VerificationLevel.PersonOnly : found.GetValueOrDefault();
        refusal = found is null
            ? Problem.Invalid([new FieldError(
                "minConfidence",
                FormattableString.Invariant($"minConfidence must be from 0 to 1 with at most two decimals, and is {asked}"))])
            : null;
        return refusal is null;
    }
}
