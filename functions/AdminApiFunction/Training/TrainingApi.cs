using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace FeedbackLoop.AdminApi.Training;

/// <summary>Trains the general model of an organization.</summary>
internal sealed record TrainGeneralInput(Guid OrganizationId, ExportInput? Export = null, TuningInput? Tuning = null);

/// <summary>Trains the model of a project, on top of its organization's general model when one is ready.</summary>
internal sealed record TrainProjectInput(Guid ProjectId, ExportInput? Export = null, TuningInput? Tuning = null);

/// <summary>Starts trainings.</summary>
internal static class TrainingApi
{
    public static void MapTraining(this IEndpointRouteBuilder api)
    {
        var training = api.MapGroup("/fine-tuning").WithTags("Training").Needs(ScopeRole.Admin);
        training.MapPost("/train-general", TrainGeneralAsync).WithName("TrainGeneral").StartsWork();
        training.MapPost("/train-project", TrainProjectAsync).WithName("TrainProject").StartsWork();
    }

    private static async Task<Results<Accepted<Started>, ProblemHttpResult>> TrainGeneralAsync(
        TrainGeneralInput input, HttpContext context, Caller caller, StartRules rules, RunStarter starter,
        CancellationToken cancellationToken)
    {
        var scope = new Scope(input.OrganizationId, null);
        if (!caller.May(scope, "organization", out var refusal))
        {
            return refusal;
        }

        var parameters = ToParameters(input.Export, input.Tuning);
        return await starter.StartAsync(
            context, caller, scope, RunPurpose.Training, parameters, input, AdminJson.Default.TrainGeneralInput,
            () => rules.CheckTrainingAsync(context, caller, scope, parameters, cancellationToken), cancellationToken);
    }

    private static async Task<Results<Accepted<Started>, ProblemHttpResult>> TrainProjectAsync(
        TrainProjectInput input, HttpContext context, Caller caller, StartRules rules, RunStarter starter,
        CancellationToken cancellationToken)
    {
        if (!caller.May(
            await caller.FindProjectScopeAsync(input.ProjectId, cancellationToken), "project", out var scope, out var refusal))
        {
            return refusal;
        }

        var parameters = ToParameters(input.Export, input.Tuning);

        // Before the start: what is accepted cannot fail on this any more.
        var general = await rules.FindGeneralTrainingAsync(caller, scope, parameters, cancellationToken);
        var outcome = await starter.StartAsync(
            context, caller, scope, RunPurpose.Training, parameters, input, AdminJson.Default.TrainProjectInput,
            () => rules.CheckTrainingAsync(context, caller, scope, parameters, cancellationToken), cancellationToken);
        return general is not null && outcome.Result is Accepted<Started> { Value: { } started } accepted
            ? TypedResults.Accepted(accepted.Location, started with { GeneralTraining = general })
            : outcome;
    }

    public static RunParameters ToParameters(ExportInput? export, TuningInput? tuning) =>
        new((export ?? new ExportInput()).ToCriteria(), (tuning ?? new TuningInput()).ToParameters());
}
