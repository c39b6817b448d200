using System.Diagnostics.CodeAnalysis;
using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Metrics;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Metrics;

/// <summary>How good, how much used, how fast and how dear the models of extractions were.</summary>
internal static class MetricsApi
{
    public static void MapMetrics(this IEndpointRouteBuilder api) =>
        api.MapGet("/metrics/extraction", ReadAsync)
            .WithTags("Metrics").WithName("GetExtractionMetrics").Needs(ScopeRole.Member);

    // The dates come as texts, so that a wrong one is refused with its name and with what is right.
    private static async Task<Results<Ok<ExtractionMetrics>, ProblemHttpResult>> ReadAsync(
        Caller caller, IOptions<BaseModelCatalogue> catalogue, IOptions<VerificationOptions> verification, TimeProvider time,
        CancellationToken cancellationToken,
        Guid? organizationId = null, Guid? projectId = null, string? from = null, string? to = null)
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (!TryReadPeriod(organizationId, projectId, from, to, today, out var period, out var invalid))
        {
            return invalid;
        }

        var (found, what) = projectId is { } project
            ? (await caller.FindProjectScopeAsync(project, cancellationToken), "project")
            : (new Scope(organizationId.GetValueOrDefault(), null), "organization");
        if (!caller.May(found, what, out var scope, out var refusal))
        {
            return refusal;
        }

        // The sums are the organization's. Which projects have a model, only their own people and the admins may know.
        var shown = caller.Person.RoleIn(scope) == ScopeRole.Admin || !scope.IsGeneral ? null : caller.Visible.Projects;
        var reader = new MetricsReader(caller.OpenAsync, catalogue.Value, verification.Value);
        return TypedResults.Ok(await reader.ReadAsync(scope, period, shown, cancellationToken));
    }

    private static bool TryReadPeriod(
        Guid? organizationId, Guid? projectId, string? from, string? to, DateOnly today,
        [NotNullWhen(true)] out MetricsPeriod? period, [NotNullWhen(false)] out ProblemHttpResult? refusal)
    {
        var isRead = MetricsPeriod.TryRead(from, to, today, out period, out var errors);
        FieldError[] all =
        [
            .. (organizationId, projectId) switch
            {
                (null, null) => (FieldError[])[new("organizationId", "organizationId or projectId must be given")],
                (not null, not null) =>
                    [new("projectId", "projectId cannot be combined with organizationId: give the one whose figures are wanted")],
                _ => [],
            },
            .. errors,
        ];
        refusal = isRead && all.Length == 0 ? null : Problem.Invalid(all);
        return isRead && refusal is null;
    }
}
