using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Exports;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Preflights;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Training;

/// <summary>Checks all that a training would, and starts none.</summary>
/// <param name="OrganizationId">Either this or <paramref name="ProjectId"/>.</param>
internal sealed record TrainingPreflightInput(
    Guid? OrganizationId = null, Guid? ProjectId = null, ExportInput? Export = null, TuningInput? Tuning = null);

/// <summary>What a start would find, without the start.</summary>
internal static class PreflightApi
{
    public static void MapPreflights(this IEndpointRouteBuilder api)
    {
        api.MapPost("/fine-tuning/preflight", CheckTrainingAsync)
            .WithTags("Training").WithName("CheckTraining").Needs(ScopeRole.Admin).ReadsAllData();
        api.MapPost("/training-export/preflight", CheckExportAsync)
            .WithTags("Exports").WithName("CheckExport").Needs(ScopeRole.Admin).ReadsAllData();
    }

    private static Task<Results<Ok<PreflightReport>, ProblemHttpResult>> CheckTrainingAsync(
        TrainingPreflightInput input, HttpContext context, Caller caller, PreflightChecks checks,
        IOptions<AdminApiOptions> options, CancellationToken cancellationToken) =>
        CheckAsync(
            input.OrganizationId, input.ProjectId, RunPurpose.Training,
            TrainingApi.ToParameters(input.Export, input.Tuning), context, caller, checks, options.Value, cancellationToken);

    private static Task<Results<Ok<PreflightReport>, ProblemHttpResult>> CheckExportAsync(
        StartExportInput input, HttpContext context, Caller caller, PreflightChecks checks,
        IOptions<AdminApiOptions> options, CancellationToken cancellationToken) =>
        CheckAsync(
            input.OrganizationId, input.ProjectId, RunPurpose.Export, TrainingApi.ToParameters(input.Export, tuning: null),
            context, caller, checks, options.Value, cancellationToken);

    private static async Task<Results<Ok<PreflightReport>, ProblemHttpResult>> CheckAsync(
        Guid? organizationId, Guid? projectId, string purpose, RunParameters parameters, HttpContext context, Caller caller,
        PreflightChecks checks, AdminApiOptions options, CancellationToken cancellationToken)
    {
        var (found, refusal) = await caller.FindScopeAsync(organizationId, projectId, cancellationToken);
        if (found is not { } scope)
        {
            return refusal!; // one of the two
        }

        if (ParameterRules.Check(parameters) is [_, ..] errors)
        {
            return Problem.Invalid(errors);
        }

        if (await caller.CheckPiiFloorAsync(scope, parameters, cancellationToken) is { } belowFloor)
        {
            return belowFloor;
        }

        switch (await checks.CheckAsync(caller, scope, purpose, parameters, options.PreflightTimeLimit, cancellationToken))
        {
            case PreflightOutcome.Checked { Report: var report }:
                return TypedResults.Ok(report);
            case PreflightOutcome.NoPlace:
                context.Response.Headers.RetryAfter = "10";
                return Problem.Of(
                    StatusCodes.Status429TooManyRequests, ProblemTypes.RateLimit, "Other checks are under way",
                    "Each check reads all data of its scope, so only a few run at once. Try again in some seconds.");
            default:
                return Problem.Of(
                    StatusCodes.Status422UnprocessableEntity, ProblemTypes.PreflightTime, "Too much data to check here",
                    $"The check was given up after {options.PreflightTimeLimit.TotalSeconds:0} s. The start itself has no such "
                    + "limit, and ends without cost when the data does not suffice; feedbackloop … --dry-run checks as long as "
                    + "it takes.");
        }
    }
}
