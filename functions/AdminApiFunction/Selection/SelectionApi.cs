using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Registry;
using FeedbackLoop.Selection;
using FeedbackLoop.Tuning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Selection;

/// <summary>The model to extract with.</summary>
/// <param name="Tier"><c>project</c>, <c>general</c> or <c>base</c>.</param>
/// <param name="ModelId">Null for the base model, as are version, endpoint and prompt hash.</param>
/// <param name="Reason">For people.</param>
internal sealed record SelectedModel(
    Guid ProjectId, string Tier, Guid? ModelId, int? Version, string BaseModel, string? Endpoint, string? PromptHash,
    string Reason);

/// <summary>Which model to use for a project, and why.</summary>
internal static class SelectionApi
{
    public static void MapSelection(this IEndpointRouteBuilder api) =>
        api.MapGet("/model-selection/{projectId:guid}", SelectAsync)
            .WithTags("Model selection").WithName("SelectModel").Needs(ScopeRole.Member);

    // From the database each time: whoever has just promoted a model sees it. Workers that ask for every chunk keep the
    // answer for up to thirty seconds, as ours does.
    private static async Task<Results<Ok<SelectedModel>, ProblemHttpResult>> SelectAsync(
        Guid projectId, Caller caller, IOptions<BaseModelCatalogue> models, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        if (!caller.May(
            await db.FindProjectScopeAsync(projectId, cancellationToken), "project", out var scope, out var refusal))
        {
            return refusal;
        }

        var choice = ModelSelection.Choose(
            await db.FindReadyModelAsync(scope, cancellationToken),
            await db.FindReadyModelAsync(scope with { ProjectId = null }, cancellationToken),
            models.Value.GetDefault());
        return TypedResults.Ok(new SelectedModel(
            projectId, choice.Tier, choice.ModelId?.Value, choice.Version, choice.BaseModel, choice.Endpoint,
            choice.PromptHash, choice.Reason));
    }
}
