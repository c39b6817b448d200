using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.Identity;

/// <summary>
/// The endpoint <c>/token</c>: for a code of a login, for a refresh token of one, or, for command lines, for a name alone.
/// </summary>
internal sealed class TokenApi(
    IdentityOptions options, IdentityTokens tokens, AuthorizationCodes codes, RefreshTokens refreshTokens)
{
    public async Task HandleAsync(HttpContext http, Func<CancellationToken, Task<IReadOnlyList<IdentityPerson>>> people)
    {
        var form = await http.ReadFormAsync();
        switch (form["grant_type"].ToString())
        {
            case "authorization_code" or "refresh_token" when form["client_id"] != options.ClientId:
                await RefuseAsync(http, "invalid_client");
                break;
            case "authorization_code":
                var grant = codes.Take(
                    form["code"].ToString(), form["redirect_uri"].ToString(), form["code_verifier"].ToString());
                await (grant is null
                    ? RefuseAsync(http, "invalid_grant")
                    : GrantAsync(http, grant.Person, grant.Nonce, grant.CanRefresh));
                break;
            case "refresh_token":
                await (refreshTokens.Take(form["refresh_token"].ToString()) is { } refreshed
                    ? GrantAsync(http, refreshed, nonce: null, canRefresh: true)
                    : RefuseAsync(http, "invalid_grant"));
                break;
            case "password":
                var all = await people(http.RequestAborted);
                var person = all.FirstOrDefault(person => person.Subject == form["username"].ToString());
                await (person is null ? RefuseAsync(http, "invalid_grant") : GrantAsync(http, person, nonce: null, canRefresh: false));
                break;
            default:
                await RefuseAsync(http, "unsupported_grant_type");
                break;
        }
    }

    private async Task GrantAsync(HttpContext http, IdentityPerson person, string? nonce, bool canRefresh)
    {
        var access = tokens.Access(person);
        if (http.Request.Headers.Accept == "text/plain")
        {
            http.Response.ContentType = "text/plain";
            await http.Response.WriteAsync(access, http.RequestAborted);
            return;
        }

        JsonObject granted = new()
        {
            ["access_token"] = access,
            ["token_type"] = "Bearer",
            ["expires_in"] = (long)options.TokenLifetime.TotalSeconds,
            ["id_token"] = tokens.Identity(person, nonce),
            ["scope"] = canRefresh ? $"openid profile {RefreshTokens.Scope}" : "openid profile",
        };
        if (canRefresh)
        {
            granted["refresh_token"] = refreshTokens.Add(person);
        }

        await http.WriteJsonAsync(StatusCodes.Status200OK, granted);
    }

    private static Task RefuseAsync(HttpContext http, string error) =>
        http.WriteJsonAsync(StatusCodes.Status400BadRequest, new() { ["error"] = error });
}
