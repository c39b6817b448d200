using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.AdminApi.Runs;
using FeedbackLoop.Lineage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace FeedbackLoop.AdminApi.Lineage;

/// <summary>
/// Where a document, a chunk or an object went, for the admins of its project and of its organization.
/// </summary>
internal static class LineageApi
{
    public static void MapLineage(this IEndpointRouteBuilder api)
    {
        var lineage = api.MapGroup("/lineage").WithTags("Lineage");
        lineage.MapGet("/documents/{id:guid}", FindDocumentAsync).WithName("GetDocumentLineage").Needs(ScopeRole.Admin);
        lineage.MapGet("/chunks/{id:guid}", FindChunkAsync).WithName("GetChunkLineage").Needs(ScopeRole.Admin);
        lineage.MapGet("/objects/{id:guid}", FindObjectAsync).WithName("GetObjectLineage").Needs(ScopeRole.Admin);
    }

    private static Task<Results<Ok<LineageAnswer>, ProblemHttpResult>> FindDocumentAsync(
        Guid id, Caller caller, LineageReader reader, CancellationToken cancellationToken, int? limit = null) =>
        FindAsync(LineageSubjectKind.Document, id, limit, caller, reader, cancellationToken);

    private static Task<Results<Ok<LineageAnswer>, ProblemHttpResult>> FindChunkAsync(
        Guid id, Caller caller, LineageReader reader, CancellationToken cancellationToken, int? limit = null) =>
        FindAsync(LineageSubjectKind.Chunk, id, limit, caller, reader, cancellationToken);

    private static Task<Results<Ok<LineageAnswer>, ProblemHttpResult>> FindObjectAsync(
        Guid id, Caller caller, LineageReader reader, CancellationToken cancellationToken, int? limit = null) =>
        FindAsync(LineageSubjectKind.GraphObject, id, limit, caller, reader, cancellationToken);

    private static async Task<Results<Ok<LineageAnswer>, ProblemHttpResult>> FindAsync(
        string kind, Guid id, int? limit, Caller caller, LineageReader reader, CancellationToken cancellationToken)
    {
        if (PageCursor.Read(limit, after: null, out _) is [_, ..] errors)
        {
            return Problem.Invalid(errors);
        }

        await using var db = await caller.OpenAsync(cancellationToken);
        var subject = await db.FindLineageSubjectAsync(kind, id, cancellationToken);
        return caller.May(subject?.Scope, kind, out var refusal)
            ? TypedResults.Ok(await reader.ReadAsync(
                db, subject!, caller.Visible, limit ?? PageCursor.DefaultLimit, cancellationToken)) // not null by May
            : refusal;
    }
}
