using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.AdminApi.Tests;

/// <summary>The routes as the running API has them.</summary>
internal static class RouteTable
{
    public static IReadOnlyList<(string Method, string Route)> Of(IServiceProvider services) =>
        [.. from endpoint in services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            from method in endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods
            select (method, "/" + endpoint.RoutePattern.RawText!.Trim('/'))];
}
