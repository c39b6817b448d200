using FeedbackLoop.AdminApi.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;

namespace FeedbackLoop.AdminApi.Health;

/// <param name="Status"><c>ok</c>.</param>
internal sealed record Health(string Status);

/// <summary>For the platform: whether the process lives, and whether it can answer.</summary>
internal static class HealthApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static void MapHealth(this IEndpointRouteBuilder api)
    {
        var health = api.MapGroup("").WithTags("Health").AllowAnonymous();
        health.MapGet("/healthz", () => TypedResults.Ok(new Health("ok"))).WithName("IsAlive");
        health.MapGet("/readyz", IsReadyAsync).WithName("IsReady");
    }

    private static async Task<Results<Ok<Health>, ProblemHttpResult>> IsReadyAsync(
        NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await using var command = database.CreateCommand("select 1");
            await command.ExecuteScalarAsync(patience.Token);
            return TypedResults.Ok(new Health("ok"));
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return Problem.Of(
                StatusCodes.Status503ServiceUnavailable, ProblemTypes.Unavailable, "Not ready",
                "The database cannot be reached.");
        }
    }
}
