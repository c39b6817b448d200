using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Knowledge;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace FeedbackLoop.AdminApi.Extractions;

/// <param name="Reason">For the audit log: 1 to 500 characters, or left out.</param>
internal sealed record ConfirmEmptyInput(string? Reason = null);

/// <summary>What a person decides about an extraction as a whole: that its text holds nothing.</summary>
internal static class ExtractionsApi
{
    private const string What = "extraction job";

    public static void MapExtractions(this IEndpointRouteBuilder api)
    {
        var jobs = api.MapGroup("/extraction-jobs/{jobId:guid}/confirmed-empty").WithTags("Extractions");
        jobs.MapPost("", ConfirmAsync).WithName("ConfirmEmpty").Needs(ScopeRole.Admin);
        jobs.MapDelete("", WithdrawAsync).WithName("WithdrawEmpty").Needs(ScopeRole.Admin);
    }

    private static async Task<Results<Ok<EmptyConfirmation>, ProblemHttpResult>> ConfirmAsync(
        Guid jobId, ConfirmEmptyInput? input, Caller caller, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var found = await db.FindExtractionScopeAsync(jobId, cancellationToken);
        if (!caller.May(found, What, out var scope, out var refusal))
        {
            return refusal;
        }

        if (input?.Reason is { } reason && FieldErrors.Text("reason", reason) is [_, ..] errors)
        {
            return Problem.Invalid(errors);
        }

        return await db.ConfirmEmptyAsync(
            scope, jobId, caller.Actor, input?.Reason, time.GetUtcNow(), cancellationToken) switch
        {
            ConfirmEmptyOutcome.Confirmed confirmed => TypedResults.Ok(confirmed.Row),
            ConfirmEmptyOutcome.Refused refused => Problem.Of(
                StatusCodes.Status409Conflict, ProblemTypes.NotEmpty, "It cannot be confirmed as empty", refused.Reason,
                ("extractionStatus", refused.Status), ("objects", refused.OpenObjects)),
            var outcome => throw new InvalidOperationException($"unknown outcome {outcome}"),
        };
    }

    // Also 204 when there was nothing to take back: what the caller wants is so.
    private static async Task<Results<NoContent, ProblemHttpResult>> WithdrawAsync(
        Guid jobId, Caller caller, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var found = await db.FindExtractionScopeAsync(jobId, cancellationToken);
        if (!caller.May(found, What, out var scope, out var refusal))
        {
            return refusal;
        }

        await db.WithdrawEmptyAsync(scope, jobId, caller.Actor, reason: null, time.GetUtcNow(), cancellationToken);
        return TypedResults.NoContent();
    }
}
