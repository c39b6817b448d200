using System.Net;
using System.Text.Json.Nodes;
using FeedbackLoop.Local.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace FeedbackLoop.Local.Identity;

/// <summary>
/// An OpenID Connect issuer on loopback that asks for no password: real tokens by real keys, for people in development, and in
/// place of Google's accounts for what Pub/Sub pushes.
/// </summary>
public sealed class IdentityServer : IAsyncDisposable
{
    private readonly IdentityOptions _options;
    private readonly RedirectUris _redirects = new();
    private WebApplication? _app;
    private IdentityTokens? _tokens;
    private LoginApi? _login;
    private TokenApi? _token;
    private int _keyRequests;

    private IdentityServer(IdentityOptions options) => _options = options;

    public Uri Address { get; private set; } = null!; // set by StartAsync, the only way to get one

    /// <summary>The <c>iss</c> of its tokens.</summary>
    public string Issuer => Tokens.Issuer;

    public Uri MetadataAddress => new(Address, "/.well-known/openid-configuration");

    /// <summary>How often its keys were asked for.</summary>
    public int KeyRequests => _keyRequests;

    private IdentityTokens Tokens =>
        _tokens ?? throw new InvalidOperationException("the server has not started");

    public static async Task<IdentityServer> StartAsync(IdentityOptions options, CancellationToken cancellationToken)
    {
        var state = await IdentityState.ReadAsync(options.StateFile, cancellationToken);
        var server = new IdentityServer(options);
        var app = await server.ListenAsync(options.Port == 0 ? state.Port : options.Port, cancellationToken);
        server._app = app;
        server.Address = app.Address();
        server._tokens = new IdentityTokens(options, options.Issuer ?? server.Address.ToString().TrimEnd('/'), state.Keys);
        var codes = new AuthorizationCodes(options.Time);
        server._login = new LoginApi(options, server._tokens, codes, server._redirects);
        server._token = new TokenApi(options, server._tokens, codes, new RefreshTokens());
        if (options.StateFile is { } file)
        {
            await new IdentityState(server.Address.Port, state.Keys).WriteAsync(file, cancellationToken);
        }

        return server;
    }

    /// <summary>Lets logins lead back to every address below this one.</summary>
    /// <param name="prefix">On loopback; its path ends with a slash.</param>
    public void AllowRedirects(Uri prefix) => _redirects.Allow(prefix);

    /// <summary>A token as a login gives it.</summary>
    public string IssueAccessToken(string subject) => Tokens.Access(new IdentityPerson(subject, subject, ""));

    /// <summary>A token as Google's Pub/Sub sends it with each push.</summary>
    public string IssuePushToken(string serviceAccount, string audience)
    {
        var claims = Claims("103281987654321098765", audience);
        claims["azp"] = claims["sub"]!.DeepClone();
        claims["email"] = serviceAccount;
        claims["email_verified"] = true;
        return Sign(claims);
    }

    /// <summary>Claims of a good token, to be changed into those of a bad one.</summary>
    public JsonObject Claims(string subject, string audience) => Tokens.Claims(subject, audience);

    /// <summary>Signs whatever it is given.</summary>
    /// <param name="algorithm">RS256 or ES256.</param>
    /// <param name="header">Members beside <c>alg</c>, <c>kid</c> and <c>typ</c>, or instead of them.</param>
    public string Sign(JsonObject claims, string algorithm = "RS256", JsonObject? header = null) =>
        Tokens.Sign(claims, algorithm, header);

    /// <summary>Signs with new keys from now on; the old ones are no longer published.</summary>
    public void RotateKeys() => Tokens.Rotate();

    public ValueTask DisposeAsync() => _app is null ? ValueTask.CompletedTask : new(_app.StopAndDisposeAsync());

    private async Task<WebApplication> ListenAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            return await Loopback.StartAsync(
                port, HttpProtocols.Http1, _options.Loggers, _ => { }, map => map.Run(HandleAsync), cancellationToken);
        }
        // The port of the last start belongs to somebody else now; one that was asked for is another matter.
        catch (IOException) when (_options.Port == 0 && port != 0)
        {
            return await ListenAsync(0, cancellationToken);
        }
    }

    private Task HandleAsync(HttpContext http)
    {
        http.AddHeaders();

        // A name of the internet that leads to this machine would make its page a page of ours.
        if (!IsLoopback(http.Request.Host))
        {
            return Answer(http, StatusCodes.Status421MisdirectedRequest);
        }

        // Its address is known only once it listens, and the port may be one that somebody already polls.
        if (_token is null)
        {
            return Answer(http, StatusCodes.Status503ServiceUnavailable);
        }

        return (http.Request.Method, http.Request.Path.Value, _options.People) switch
        {
            ("OPTIONS", _, _) => Answer(http, StatusCodes.Status204NoContent),
            ("GET", "/.well-known/openid-configuration", _) => http.WriteJsonAsync(StatusCodes.Status200OK, Discovery()),
            ("GET", "/jwks", _) => WriteKeysAsync(http),
            ("GET", "/page.css", _) => WriteStyleAsync(http),
            ("GET", "/", { } people) => WritePeopleAsync(http, people),
            ("GET", "/authorize", { } people) => _login!.ShowAsync(http, people),
            ("POST", "/authorize", { } people) => _login!.ChooseAsync(http, people),
            ("POST", "/token", { } people) => _token.HandleAsync(http, people),
            ("GET", "/logout", { }) => _login!.LogOutAsync(http),
            ("POST", { } path, null) when IdTokenApi.AccountOf(path) is { } account => new IdTokenApi(IssuePushToken)
                .HandleAsync(http, account),
            _ => Answer(http, StatusCodes.Status404NotFound),
        };
    }

    private JsonObject Discovery() => new()
    {
        ["issuer"] = Issuer,
        ["jwks_uri"] = Endpoint("/jwks"),
        ["authorization_endpoint"] = Endpoint("/authorize"),
        ["token_endpoint"] = Endpoint("/token"),
        ["end_session_endpoint"] = Endpoint("/logout"),
        ["response_types_supported"] = new JsonArray("code"),
        ["response_modes_supported"] = new JsonArray("query"),
        ["grant_types_supported"] = new JsonArray("authorization_code", "refresh_token", "password"),
        ["code_challenge_methods_supported"] = new JsonArray("S256"),
        ["token_endpoint_auth_methods_supported"] = new JsonArray("none"),
        ["scopes_supported"] = new JsonArray("openid", "profile", RefreshTokens.Scope),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray("RS256", "ES256"),
        ["authorization_response_iss_parameter_supported"] = true,
    };

    private string Endpoint(string path) => new Uri(Address, path).ToString();

    private async Task WritePeopleAsync(
        HttpContext http, Func<CancellationToken, Task<IReadOnlyList<IdentityPerson>>> people) =>
        await http.WritePageAsync(
            StatusCodes.Status200OK,
            IdentityPages.People(await people(http.RequestAborted), new Uri(Address, "/token")), redirect: null);

    private Task WriteKeysAsync(HttpContext http)
    {
        Interlocked.Increment(ref _keyRequests);
        return http.WriteJsonAsync(StatusCodes.Status200OK, new() { ["keys"] = Tokens.Keys.ToJwks() });
    }

    private static Task WriteStyleAsync(HttpContext http)
    {
        http.Response.ContentType = "text/css";
        return http.Response.WriteAsync(IdentityPages.Style, http.RequestAborted);
    }

    private static Task Answer(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static bool IsLoopback(HostString host) =>
        host.Host == "localhost" || (IPAddress.TryParse(host.Host, out var address) && IPAddress.IsLoopback(address));
}
