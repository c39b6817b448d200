using System.Globalization;
using System.Threading.RateLimiting;
using FeedbackLoop.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Access;

/// <summary>Marks a route that starts work.</summary>
internal sealed record StartsWork;

/// <summary>
/// How often one person may ask. Counted on each instance of the function: what protects the bill is that a scope has one
/// live run, whoever asks how often.
/// </summary>
internal static class StartLimits
{
    private const string Starts = "starts";
    private const string Preflights = "preflights";

    public static void AddStartLimits(this IServiceCollection services)
    {
        services.AddRateLimiter(_ => { });
        services.AddOptions<RateLimiterOptions>().Configure<IOptions<AdminApiOptions>>((limiter, options) =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.OnRejected = (rejected, _) =>
            {
                var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after)
                    ? Math.Ceiling(after.TotalSeconds)
                    : 60;
                rejected.HttpContext.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
                return ValueTask.CompletedTask;
            };
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(
                context => PerMinute(context, options.Value.RequestsPerMinute));
            limiter.AddPolicy(Starts, context => PerMinute(context, options.Value.StartsPerMinute));
            limiter.AddPolicy(Preflights, context => PerMinute(context, options.Value.PreflightsPerMinute));
        });
    }

    /// <summary>A route that starts work: limited per person, and with an Idempotency-Key.</summary>
    public static RouteHandlerBuilder StartsWork(this RouteHandlerBuilder route) =>
        route.RequireRateLimiting(Starts).WithMetadata(new StartsWork());

    /// <summary>A route that reads all data of a scope and starts nothing: limited per person.</summary>
    public static RouteHandlerBuilder ReadsAllData(this RouteHandlerBuilder route) => route.RequireRateLimiting(Preflights);

    // Whoever is not signed in does not get here but for open routes, which are cheap.
    private static RateLimitPartition<string> PerMinute(HttpContext context, int permits) =>
        context.User.Identity?.IsAuthenticated == true
            ? RateLimitPartition.GetSlidingWindowLimiter(context.User.Subject(), _ => new()
            {
                PermitLimit = permits,
                Window = TimeSpan.FromMinutes(1),
                SegmentsPerWindow = 6,
                QueueLimit = 0,
            })
            : RateLimitPartition.GetNoLimiter("");
}
