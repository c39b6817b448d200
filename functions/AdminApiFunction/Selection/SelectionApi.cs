using System.ComponentModel;
using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.Extraction;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Registry;
using FeedbackLoop.Selection;
using FeedbackLoop.Spending;
using FeedbackLoop.Tuning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Selection;

/// <summary>Which model to use for a project, and why.</summary>
internal static class SelectionApi
{
    public static void MapSelection(this IEndpointRouteBuilder api) =>
        api.MapGet("/model-selection/{projectId:guid}", SelectAsync)
            .WithTags("Model selection").WithName("SelectModel").Needs(ScopeRole.Member);

    // From the database each time: whoever has just promoted a model sees it. Workers that ask for every chunk keep the
    // answer for up to thirty seconds, as ours does.
    private static async Task<Results<Ok<SelectedModel>, ProblemHttpResult>> SelectAsync(
        Guid projectId, Caller caller, SelectionPresenter presenter, IOptions<BaseModelCatalogue> models,
        IOptions<VerificationOptions> verification, CancellationToken cancellationToken,
        [Description("Whether the answer has the prompt too, which a tuned model is to be asked with.")] bool prompt = false)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        if (!caller.May(
            await db.FindProjectScopeAsync(projectId, cancellationToken), "project", out var scope, out var refusal))
        {
            return refusal;
        }

        var baseModel = models.Value.GetDefault();
        var general = await db.FindReadyModelAsync(scope with { ProjectId = null }, cancellationToken);
        var choice = ModelSelection.WhileStopped(
            ModelSelection.Choose(await db.FindReadyModelAsync(scope, cancellationToken), general, baseModel),
            await db.FindSpendingStopAsync(cancellationToken), baseModel);
        var fallbacks = new List<ModelChoice>();
        for (var last = choice; last.Tier != ModelTier.Base; fallbacks.Add(last))
        {
            last = ModelSelection.Next(last.Tier, general, baseModel);
        }

        var told = prompt
            ? ExtractionPrompt.For(
                (await db.ListTypesAsync([projectId], verification.Value, cancellationToken))[projectId])
            : null;
        return TypedResults.Ok(presenter.Show(projectId, choice, fallbacks, told));
    }
}
