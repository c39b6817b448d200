using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>The routes as the running API has them.</summary>
internal static class RouteTable
{
    public static IReadOnlyList<(string Method, string Route)> Of(IServiceProvider services) =>
        [.. from endpoint in Endpoints(services)
            from method in endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods
            select (method, RouteOf(endpoint))];

    /// <summary>Such as <c>GET /fine-tuning/runs/{id} member</c>, as <c>docs/api.md</c> writes it.</summary>
    public static IEnumerable<string> WithRoles(IServiceProvider services) =>
        from endpoint in Endpoints(services)
        from method in endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods
        let route = RouteOf(endpoint).Replace(":guid", "", StringComparison.Ordinal)
        let role = endpoint.Metadata.GetMetadata<Access.RouteRole>()?.Role switch
        {
            FeedbackLoop.Access.ScopeRole.Admin => "admin",
            FeedbackLoop.Access.ScopeRole.Member => "member",
            FeedbackLoop.Access.ScopeRole.None => "anybody known",
            null when endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null => "open",
            _ => "no role",
        }
        select $"{method} {route} {role}";

    private static IEnumerable<RouteEndpoint> Endpoints(IServiceProvider services) =>
        services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();

    private static string RouteOf(RouteEndpoint endpoint) => "/" + endpoint.RoutePattern.RawText!.Trim('/');
}
