using FeedbackLoop.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace FeedbackLoop.AdminApi.Access;

/// <summary>What a route takes of its caller.</summary>
/// <param name="Role">In the scope that the request names; none: any person whom the product knows.</param>
internal sealed record RouteRole(ScopeRole Role);

/// <summary>Every route says whom it is for, or the function does not start.</summary>
internal static class RouteRoles
{
    public static TBuilder Needs<TBuilder>(this TBuilder route, ScopeRole role)
        where TBuilder : IEndpointConventionBuilder =>
        route.WithMetadata(new RouteRole(role));

    /// <exception cref="InvalidOperationException">A route says neither a role nor that it is open to all.</exception>
    public static void RequireOnAll(IEndpointRouteBuilder api)
    {
        foreach (var endpoint in api.DataSources.SelectMany(source => source.Endpoints))
        {
            if (endpoint.Metadata.GetMetadata<RouteRole>() is null
                && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null)
            {
                throw new InvalidOperationException($"route {endpoint.DisplayName} does not say whom it is for");
            }
        }
    }
}
