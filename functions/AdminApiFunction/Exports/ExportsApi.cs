using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.AdminApi.Training;
using FeedbackLoop.Datasets;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace FeedbackLoop.AdminApi.Exports;

/// <summary>Exports: start, progress and result.</summary>
internal static class ExportsApi
{
    public static void MapExports(this IEndpointRouteBuilder api)
    {
        var exports = api.MapGroup("/training-export").WithTags("Exports");
        exports.MapPost("/export", StartAsync).WithName("StartExport").Needs(ScopeRole.Admin).StartsWork();
        exports.MapGet("/exports", ListAsync).WithName("ListExports").Needs(ScopeRole.Member);
        exports.MapGet("/exports/{id:guid}", FindAsync).WithName("GetExport").Needs(ScopeRole.Member);
        exports.MapPost("/exports/{id:guid}/cancel", CancelAsync).WithName("CancelExport").Needs(ScopeRole.Admin);
        exports.MapGet("/exports/{id:guid}/download/{file}", ExportDownloads.DownloadAsync)
            .WithName("DownloadExport").Needs(ScopeRole.Admin)
            .Produces(StatusCodes.Status200OK, contentType: "application/octet-stream")
            .Produces(StatusCodes.Status206PartialContent, contentType: "application/octet-stream");
    }

    private static async Task<Results<Accepted<Started>, ProblemHttpResult>> StartAsync(
        StartExportInput input, HttpContext context, Caller caller, RunStarter starter,
        CancellationToken cancellationToken)
    {
        var (found, refusal) = await caller.FindScopeAsync(input.OrganizationId, input.ProjectId, cancellationToken);
        if (found is not { } scope)
        {
            return refusal!; // one of the two
        }

        var parameters = RunParameters.Default with { Export = (input.Export ?? new ExportInput()).ToCriteria() };
        return await starter.StartAsync(
            context, caller, scope, RunPurpose.Export, parameters, input, AdminJson.Default.StartExportInput,
            () => Task.FromResult<ProblemHttpResult?>(null), cancellationToken);
    }

    private static async Task<Results<Ok<Page<ExportDetails>>, ProblemHttpResult>> ListAsync(
        Caller caller, CancellationToken cancellationToken, Guid? organizationId = null, Guid? projectId = null,
        bool general = false, int? limit = null, string? after = null)
    {
        if (PageCursor.Read(limit, after, out var key) is [_, ..] errors)
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
        var rows = await db.ListRunOverviewsAsync(
            RunPurpose.Export, visible, RunFilter.None, key, size + 1, cancellationToken);
        return TypedResults.Ok(PageCursor.Page(
            rows, size, row => Present(row, metadata: null), row => new PageKey(row.CreatedAt, row.Id.Value)));
    }

    private static async Task<Results<Ok<ExportDetails>, ProblemHttpResult>> FindAsync(
        Guid id, Caller caller, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var run = await db.FindRunOverviewAsync(new RunId(id), purpose: null, caller.Visible, cancellationToken);
        if (!caller.May(run?.Scope, "export", out var refusal))
        {
            return refusal;
        }

        var metadata = run!.DatasetId is { } dataset // not null by May
            ? await db.GetMetadataAsync(dataset, cancellationToken)
            : null;
        return TypedResults.Ok(Present(run, metadata));
    }

    private static Task<Results<Accepted<Started>, ProblemHttpResult>> CancelAsync(
        Guid id, ReasonInput input, HttpContext context, Caller caller, RunCanceller canceller,
        CancellationToken cancellationToken) =>
        canceller.CancelAsync(id, RunPurpose.Export, "export", input, context, caller, cancellationToken);

    private static ExportDetails Present(RunOverview run, DatasetMetadata? metadata) => new(
        run.Id.Value, run.OrganizationId, run.ProjectId, run.Purpose, RunPresenter.RequesterOf(run), run.State,
        RunTransitions.IsFinal(run.State), run.Reason, RunPresenter.ProgressOf(run.ProgressJson), run.Parameters.Export,
        metadata is null ? null : ToResult(run, metadata), run.CreatedAt, run.UpdatedAt, run.EndedAt);

    private static ExportResultView ToResult(RunOverview run, DatasetMetadata metadata) => new(
        run.DatasetUri!, metadata.SnapshotAt, metadata.PromptHash, metadata.Counts, metadata.Averages, metadata.Maxima, // a dataset has a folder
        metadata.EntityTypes, metadata.RelationshipTypes, metadata.Excluded, metadata.LeftOut,
        metadata.LeftOutOfPrompts ?? [], ExportFiles.Of(run.Id, metadata));
}
