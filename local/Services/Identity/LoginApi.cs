using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace FeedbackLoop.Local.Identity;

/// <summary>The endpoints that a person meets: <c>/authorize</c> and <c>/logout</c>.</summary>
internal sealed class LoginApi(
    IdentityOptions options, IdentityTokens tokens, AuthorizationCodes codes, RedirectUris redirects)
{
    // What a request for a login says and the page sends on; anything else is dropped.
    private static readonly string[] Known =
    [
        "response_type", "response_mode", "client_id", "redirect_uri", "state", "nonce", "scope", "code_challenge",
        "code_challenge_method",
    ];

    /// <summary>Shows the people, or says what is wrong.</summary>
    public async Task ShowAsync(HttpContext http, Func<CancellationToken, Task<IReadOnlyList<IdentityPerson>>> people)
    {
        if (await CheckAsync(http, http.Request.Query.ToDictionary(q => q.Key, q => q.Value.ToString())) is not { } request)
        {
            return;
        }

        var members = Known.Where(request.Members.ContainsKey)
            .Select(name => KeyValuePair.Create(name, request.Members[name]));
        await http.WritePageAsync(
            StatusCodes.Status200OK, IdentityPages.Choice(await people(http.RequestAborted), members),
            request.RedirectUri);
    }

    /// <summary>Leads back with a code for the person that was chosen.</summary>
    public async Task ChooseAsync(HttpContext http, Func<CancellationToken, Task<IReadOnlyList<IdentityPerson>>> people)
    {
        var form = (await http.ReadFormAsync()).ToDictionary(f => f.Key, f => f.Value.ToString());
        if (await CheckAsync(http, form) is not { } request)
        {
            return;
        }

        var all = await people(http.RequestAborted);
        if (all.FirstOrDefault(person => person.Subject == form.GetValueOrDefault("subject")) is not { } person)
        {
            Redirect(http, request, ("error", "access_denied"));
            return;
        }

        var code = codes.Add(new(
            person, request.Members["redirect_uri"], request.Members["code_challenge"],
            request.Members.GetValueOrDefault("nonce"),
            request.Members.GetValueOrDefault("scope", "").Split(' ').Contains(RefreshTokens.Scope),
            options.Time.GetUtcNow() + options.CodeLifetime));
        Redirect(http, request, ("code", code));
    }

    /// <summary>There is no session to end: leads back, or says so.</summary>
    public async Task LogOutAsync(HttpContext http)
    {
        var target = http.Request.Query["post_logout_redirect_uri"].ToString();
        if (redirects.Find(target) is { } back)
        {
            http.Response.Redirect(back.AbsoluteUri);
        }
        else
        {
            await http.WritePageAsync(
                StatusCodes.Status200OK, IdentityPages.Message("Logged out", "You can close this page."), redirect: null);
        }
    }

    /// <returns>Null when the answer has been given: as a page where leading back would lead anywhere.</returns>
    private async Task<LoginRequest?> CheckAsync(HttpContext http, Dictionary<string, string> members)
    {
        var redirect = redirects.Find(members.GetValueOrDefault("redirect_uri"));
        if (redirect is null || members.GetValueOrDefault("client_id") != options.ClientId)
        {
            await http.WritePageAsync(
                StatusCodes.Status400BadRequest,
                IdentityPages.Message("This login cannot go on", redirect is null
                    ? "The address to return to is not one that was registered here."
                    : "The client is not known here."),
                redirect: null);
            return null;
        }

        var request = new LoginRequest(redirect, members);
        var error = members switch
        {
            _ when members.GetValueOrDefault("response_type") != "code" => "unsupported_response_type",
            _ when members.GetValueOrDefault("response_mode", "query") != "query" => "invalid_request",
            _ when members.GetValueOrDefault("code_challenge_method") != "S256" => "invalid_request",
            _ when members.GetValueOrDefault("code_challenge") is not { Length: 43 } => "invalid_request",
            _ => null,
        };
        if (error is not null)
        {
            Redirect(http, request, ("error", error));
            return null;
        }

        return request;
    }

    private void Redirect(HttpContext http, LoginRequest request, (string Name, string Value) result)
    {
        var query = new Dictionary<string, string?> { [result.Name] = result.Value, ["iss"] = tokens.Issuer };
        if (request.Members.TryGetValue("state", out var state))
        {
            query["state"] = state;
        }

        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = QueryHelpers.AddQueryString(request.RedirectUri.AbsoluteUri, query);
    }

    private sealed record LoginRequest(Uri RedirectUri, Dictionary<string, string> Members);
}
