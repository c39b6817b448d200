using FeedbackLoop.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi.Ui;

/// <summary>How a browser signs people in: the OpenID Connect code flow with PKCE of a public client.</summary>
/// <param name="Authority">The issuer; its endpoints stand in <c>/.well-known/openid-configuration</c> below it.</param>
/// <param name="Audience">What access tokens must be meant for; for issuers that have to be told.</param>
/// <param name="Scope">To ask for at the login.</param>
internal sealed record UiSettings(string Authority, string ClientId, string Audience, string Scope);

/// <summary>What the admin UI has to know before anybody is signed in. None of it is secret.</summary>
internal static class UiSettingsApi
{
    // With the last one comes a refresh token, by which a session outlives its first access token.
    private const string LoginScope = "openid profile offline_access";

    public static void MapUiSettings(this IEndpointRouteBuilder api) =>
        api.MapGet("/ui-settings", (IOptions<AccessOptions> access) => TypedResults.Ok(new UiSettings(
                access.Value.Authority, access.Value.ClientId, access.Value.Audience, LoginScope)))
            .WithTags("UI").WithName("GetUiSettings").AllowAnonymous();
}
