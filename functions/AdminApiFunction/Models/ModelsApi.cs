using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace FeedbackLoop.AdminApi.Models;

/// <summary>The registry: lists, details, what Vertex says, promotion and its reverse.</summary>
internal static class ModelsApi
{
    private static readonly string[] Statuses =
        [ModelStatus.Training, ModelStatus.Ready, ModelStatus.Failed, ModelStatus.Deprecated];

    public static void MapModels(this IEndpointRouteBuilder api)
    {
        var models = api.MapGroup("/fine-tuning/models").WithTags("Models");
        models.MapGet("", ListAsync).WithName("ListModels").Needs(ScopeRole.Member);
        models.MapGet("/{id:guid}", FindAsync).WithName("GetModel").Needs(ScopeRole.Member);
        models.MapGet("/{id:guid}/status", FindStatusAsync).WithName("GetModelStatus").Needs(ScopeRole.Member);
        models.MapPost("/{id:guid}/promote", PromoteAsync).WithName("PromoteModel").Needs(ScopeRole.Admin);
        models.MapPost("/{id:guid}/deprecate", DeprecateAsync).WithName("DeprecateModel").Needs(ScopeRole.Admin);
    }

    private static async Task<Results<Ok<Page<ModelSummary>>, ProblemHttpResult>> ListAsync(
        Caller caller, CancellationToken cancellationToken, Guid? organizationId = null, Guid? projectId = null,
        bool general = false, string? status = null, int? limit = null, string? after = null)
    {
        var errors = PageCursor.Read(limit, after, out var key).ToList();
        if (status is not null && !Statuses.Contains(status))
        {
            errors.Add(FieldErrors.NotOneOf("status", Statuses));
        }

        if (errors.Count > 0)
        {
            return Problem.Invalid(errors);
        }

        await using var db = await caller.OpenAsync(cancellationToken);
        var (visible, refusal) = await caller.NarrowAsync(db, organizationId, projectId, general, cancellationToken);
        if (visible is null)
        {
            return refusal!;
        }

        var size = limit ?? PageCursor.DefaultLimit;
        var rows = await db.ListVisibleModelsAsync(visible, status, key, size + 1, cancellationToken);
        return TypedResults.Ok(PageCursor.Page(
            rows, size, ModelPresenter.Present, row => new PageKey(row.CreatedAt, row.Id.Value)));
    }

    private static async Task<Results<Ok<ModelDetails>, ProblemHttpResult>> FindAsync(
        Guid id, Caller caller, RunPresenter runs, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var model = await db.FindVisibleModelAsync(new RunId(id), caller.Visible, cancellationToken);
        var run = await db.FindRunOverviewAsync(new RunId(id), RunPurpose.Training, caller.Visible, cancellationToken);
        if (!caller.May(model?.Scope, "model", out var refusal))
        {
            return refusal;
        }

        // Not null by May; a model has its run by key.
        var evaluated = await db.ListEvaluatedModelsAsync(model!.Id, cancellationToken);
        return TypedResults.Ok(ModelPresenter.Present(model, run!, evaluated, runs));
    }

    private static async Task<Results<Ok<ModelLiveStatus>, ProblemHttpResult>> FindStatusAsync(
        Guid id, Caller caller, ITuningService tuning, CancellationToken cancellationToken)
    {
        FineTunedModel? model;
        RunOverview? run;
        await using (var db = await caller.OpenAsync(cancellationToken))
        {
            model = await db.FindVisibleModelAsync(new RunId(id), caller.Visible, cancellationToken);
            run = await db.FindRunOverviewAsync(new RunId(id), RunPurpose.Training, caller.Visible, cancellationToken);
        }

        if (!caller.May(model?.Scope, "model", out var refusal))
        {
            return refusal;
        }

        var (job, trouble) = await AskVertexAsync(tuning, model!.TuningJob, cancellationToken); // not null by May
        return TypedResults.Ok(new ModelLiveStatus(
            id, model.Status, model.StatusReason, run!.State, run.Reason, job, trouble)); // a model has its run by key
    }

    // What Vertex says is an addition: the registry's own word goes out also without it.
    private static async Task<(LiveTuningJob? Job, string? Trouble)> AskVertexAsync(
        ITuningService tuning, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await tuning.GetAsync(name, cancellationToken) is { } job
                ? (new(job.Name, job.StateText, job.IsTerminal, job.Error, job.CreatedAt, job.StartedAt, job.EndedAt), null)
                : (null, "Vertex AI does not know this tuning job; jobs are kept for a limited time.");
        }
        catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"Vertex AI could not be asked: {e.StatusCode}.");
        }
    }

    private static async Task<Results<Ok<Promotion>, ProblemHttpResult>> PromoteAsync(
        Guid id, PromoteInput input, Caller caller, WakeUp wakeUp, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var model = await db.FindVisibleModelAsync(new RunId(id), caller.Visible, cancellationToken);
        if (!caller.May(model?.Scope, "model", out var refusal))
        {
            return refusal;
        }

        if (input.Reason is { } reason && FieldErrors.Text("reason", reason) is [_, ..] errors)
        {
            return Problem.Invalid(errors);
        }

        var outcome = await db.PromoteModelAsync(
            new RunId(id), caller.Actor, input.Reason, time.GetUtcNow(), cancellationToken);
        if (outcome is PromotionOutcome.Promoted)
        {
            await wakeUp.SendAsync(db, cancellationToken);
        }

        return outcome switch
        {
            PromotionOutcome.Promoted promoted =>
                TypedResults.Ok(new Promotion(id, ModelStatus.Ready, promoted.Replaced?.Value)),
            PromotionOutcome.AlreadyReady => TypedResults.Ok(new Promotion(id, ModelStatus.Ready, Replaced: null)),
            PromotionOutcome.ReasonNeeded worse => Problem.Of(
                StatusCodes.Status422UnprocessableEntity, ProblemTypes.ReasonNeeded, "It was evaluated as worse",
                $"On held-out documents it is worse than the model that it would replace: {worse.Verdict}. Send a reason to "
                + "promote it all the same.", ("verdict", worse.Verdict)),
            PromotionOutcome.Refused refused => WrongStatus("It cannot be promoted", refused.Reason, model!.Status),
            _ => throw new InvalidOperationException($"unknown outcome {outcome}"),
        };
    }

    private static async Task<Results<Ok<Promotion>, ProblemHttpResult>> DeprecateAsync(
        Guid id, ReasonInput input, Caller caller, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var model = await db.FindVisibleModelAsync(new RunId(id), caller.Visible, cancellationToken);
        if (!caller.May(model?.Scope, "model", out var refusal))
        {
            return refusal;
        }

        if (FieldErrors.Text("reason", input.Reason) is [_, ..] errors)
        {
            return Problem.Invalid(errors);
        }

        return await db.DeprecateModelAsync(
            new RunId(id), caller.Actor, input.Reason, time.GetUtcNow(), cancellationToken)
            ? TypedResults.Ok(new Promotion(id, ModelStatus.Deprecated, Replaced: null))
            : WrongStatus("It is not in use", $"Only a ready model is taken out of use; this one is {model!.Status}.", model.Status);
    }

    private static ProblemHttpResult WrongStatus(string title, string detail, string status) =>
        Problem.Of(StatusCodes.Status409Conflict, ProblemTypes.ModelStatus, title, detail, ("modelStatus", status));
}
