using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;

namespace FeedbackLoop.AdminApi.Runs;

/// <summary>Trainings: lists, details, approval, cancellation.</summary>
internal static class RunsApi
{
    public static void MapRuns(this IEndpointRouteBuilder api)
    {
        var runs = api.MapGroup("/fine-tuning/runs").WithTags("Runs");
        runs.MapGet("", ListAsync).WithName("ListRuns").Needs(ScopeRole.Member);
        runs.MapGet("/{id:guid}", FindAsync).WithName("GetRun").Needs(ScopeRole.Member);
        runs.MapPost("/{id:guid}/cancel", CancelAsync).WithName("CancelRun").Needs(ScopeRole.Admin);
        runs.MapPost("/{id:guid}/approve", ApproveAsync).WithName("ApproveRun").Needs(ScopeRole.Admin);

        api.MapGet("/projects/{projectId:guid}/training/history", ListProjectHistoryAsync)
            .WithTags("Runs").WithName("GetProjectTrainingHistory").Needs(ScopeRole.Member);
        api.MapGet("/organizations/{organizationId:guid}/training/history", ListOrganizationHistoryAsync)
            .WithTags("Runs").WithName("GetOrganizationTrainingHistory").Needs(ScopeRole.Member);
    }

    private static async Task<Results<Ok<Page<RunSummary>>, ProblemHttpResult>> ListAsync(
        Caller caller, RunPresenter presenter, [AsParameters] RunFilterInput filter, CancellationToken cancellationToken,
        Guid? organizationId = null, Guid? projectId = null, bool general = false, int? limit = null, string? after = null)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var (visible, refusal) = await caller.NarrowAsync(db, organizationId, projectId, general, cancellationToken);
        return visible is null
            ? refusal!
            : await ReadPageAsync(db, presenter, visible, filter, limit, after, cancellationToken);
    }

    private static async Task<Results<Ok<Page<RunSummary>>, ProblemHttpResult>> ListProjectHistoryAsync(
        Guid projectId, Caller caller, RunPresenter presenter, [AsParameters] RunFilterInput filter,
        CancellationToken cancellationToken, int? limit = null, string? after = null)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        return caller.May(
            await db.FindProjectScopeAsync(projectId, cancellationToken), "project", out var scope, out var refusal)
            ? await ReadPageAsync(db, presenter, ScopeFilter.Of(scope), filter, limit, after, cancellationToken)
            : refusal;
    }

    private static async Task<Results<Ok<Page<RunSummary>>, ProblemHttpResult>> ListOrganizationHistoryAsync(
        Guid organizationId, Caller caller, RunPresenter presenter, [AsParameters] RunFilterInput filter,
        CancellationToken cancellationToken, int? limit = null, string? after = null)
    {
        var scope = new Scope(organizationId, null);
        if (!caller.May(scope, "organization", out var refusal))
        {
            return refusal;
        }

        await using var db = await caller.OpenAsync(cancellationToken);
        return await ReadPageAsync(db, presenter, ScopeFilter.Of(scope), filter, limit, after, cancellationToken);
    }

    private static async Task<Results<Ok<Page<RunSummary>>, ProblemHttpResult>> ReadPageAsync(
        NpgsqlConnection db, RunPresenter presenter, ScopeFilter visible, RunFilterInput filter, int? limit, string? after,
        CancellationToken cancellationToken)
    {
        var errors = PageCursor.Read(limit, after, out var key).ToList();
        var wanted = filter.Read(errors);
        if (errors.Count > 0)
        {
            return Problem.Invalid(errors);
        }

        var size = limit ?? PageCursor.DefaultLimit;
        var rows = await db.ListRunOverviewsAsync(
            RunPurpose.Training, visible, wanted, key, size + 1, cancellationToken);
        return TypedResults.Ok(PageCursor.Page(
            rows, size, presenter.Present, row => new PageKey(row.CreatedAt, row.Id.Value)));
    }

    private static async Task<Results<Ok<RunDetails>, ProblemHttpResult>> FindAsync(
        Guid id, Caller caller, RunPresenter presenter, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var run = await db.FindRunOverviewAsync(
            new RunId(id), RunPurpose.Training, caller.Visible, cancellationToken);
        return caller.May(run?.Scope, "run", out var refusal)
            ? TypedResults.Ok(new RunDetails(
                presenter.Present(run!), await db.ListRunEventsAsync(run!.Id, cancellationToken))) // not null by May
            : refusal;
    }

    private static Task<Results<Accepted<Started>, ProblemHttpResult>> CancelAsync(
        Guid id, ReasonInput input, HttpContext context, Caller caller, RunCanceller canceller,
        CancellationToken cancellationToken) =>
        canceller.CancelAsync(id, RunPurpose.Training, "run", input, context, caller, cancellationToken);

    private static Task<Results<Accepted<Started>, ProblemHttpResult>> ApproveAsync(
        Guid id, ApproveInput? input, HttpContext context, Caller caller, RunApprover approver,
        CancellationToken cancellationToken) =>
        approver.ApproveAsync(id, input, context, caller, cancellationToken);
}
