using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using FeedbackLoop.Local.Identity;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Access.Tests;

/// <summary>The development issuer, as a browser and a command line see it.</summary>
public sealed partial class IdentityServerTests : IAsyncLifetime
{
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    private const string Callback = "http://127.0.0.1:5173/app/callback";

    private readonly FakeTimeProvider _clock = new(new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero));
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly List<IdentityPerson> _people = [new("ada", "Ada", "org_admin of organization A"), new("bob", "Bob", "")];
    private IdentityServer _server = null!; // set before each test

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await StartAsync(new() { People = _ => Task.FromResult<IReadOnlyList<IdentityPerson>>(_people), Time = _clock });
        _server.AllowRedirects(new Uri("http://127.0.0.1:5173/app/"));
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_login_leads_to_a_token_for_the_person_that_was_chosen()
    {
        var back = await ChooseAsync("bob", Request(("state", "s p&ce"), ("nonce", "n-1")));

        Assert.StartsWith(Callback + "?", back.ToString(), StringComparison.Ordinal);
        var result = QueryHelpers.ParseQuery(back.Query);
        Assert.Equal("s p&ce", result["state"]);
        Assert.Equal(_server.Issuer, result["iss"]);

        var (status, tokens) = await ExchangeAsync(result["code"]!);

        Assert.Equal(HttpStatusCode.OK, status);
        var access = ClaimsOf(tokens["access_token"]!);
        Assert.Equal(
            (_server.Issuer, "bob", "feedback-loop-api", "Bob"),
            ((string)access["iss"]!, (string)access["sub"]!, (string)access["aud"]!, (string)access["name"]!));
        Assert.Equal(_clock.GetUtcNow().ToUnixTimeSeconds() + (int)tokens["expires_in"]!, (long)access["exp"]!);
        var identity = ClaimsOf(tokens["id_token"]!);
        Assert.Equal(("admin-ui", "n-1"), ((string)identity["aud"]!, (string)identity["nonce"]!));
    }

    [Fact]
    public async Task A_code_is_good_once()
    {
        var code = await CodeAsync();
        await ExchangeAsync(code);

        Assert.Equal("invalid_grant", await RefusalAsync(code));
    }

    [Fact]
    public async Task A_wrong_verifier_gets_nothing_and_uses_the_code_up()
    {
        var code = await CodeAsync();

        Assert.Equal("invalid_grant", await RefusalAsync(code, ("code_verifier", new string('x', 43))));
        Assert.Equal("invalid_grant", await RefusalAsync(code));
    }

    [Fact]
    public async Task A_login_that_asks_for_it_gets_a_refresh_token_that_is_good_once()
    {
        var (_, without) = await ExchangeAsync(await CodeAsync());
        Assert.Null(without["refresh_token"]);

        var back = QueryHelpers.ParseQuery((await ChooseAsync("bob", Request(("scope", "openid offline_access")))).Query);
        var (_, first) = await ExchangeAsync(back["code"]!);
        _clock.Advance(TimeSpan.FromHours(2));
        var (status, second) = await RefreshAsync((string)first["refresh_token"]!);

        Assert.Equal(HttpStatusCode.OK, status);
        var access = ClaimsOf(second["access_token"]!);
        Assert.Equal(("bob", _clock.GetUtcNow().ToUnixTimeSeconds()), ((string)access["sub"]!, (long)access["iat"]!));
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync((string)first["refresh_token"]!)).Status);
        Assert.Equal(HttpStatusCode.OK, (await RefreshAsync((string)second["refresh_token"]!)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await RefreshAsync("made-up")).Status);
    }

    [Fact]
    public async Task A_code_is_good_for_a_minute()
    {
        var (inTime, late) = (await CodeAsync(), await CodeAsync());

        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(HttpStatusCode.OK, (await ExchangeAsync(inTime)).Status);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("invalid_grant", await RefusalAsync(late));
    }

    [Theory]
    [InlineData("redirect_uri", "http://127.0.0.1:5173/app/other", "invalid_grant")]
    [InlineData("client_id", "another", "invalid_client")]
    [InlineData("code", "made-up", "invalid_grant")]
    [InlineData("code_verifier", "", "invalid_grant")]
    [InlineData("grant_type", "client_credentials", "unsupported_grant_type")]
    public async Task A_code_is_good_for_the_login_it_came_from_only(string name, string value, string error) =>
        Assert.Equal(error, await RefusalAsync(await CodeAsync(), (name, value)));

    [Theory]
    [InlineData("https://attacker.example/app/callback")]
    [InlineData("http://127.0.0.1:5174/app/callback")]
    [InlineData("http://localhost:5173/app/callback")]
    [InlineData("http://127.0.0.1:5173/elsewhere")]
    [InlineData("http://127.0.0.1:5173/app/../elsewhere")]
    [InlineData("http://127.0.0.1:5173/app/%2e%2e/elsewhere")]
    [InlineData("http://127.0.0.1:5173@attacker.example/app/")]
    [InlineData("http://user@127.0.0.1:5173/app/")]
    [InlineData("http://127.0.0.1:5173/app/#fragment")]
    [InlineData("//127.0.0.1:5173/app/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("")]
    public async Task A_foreign_address_is_never_led_to(string redirect)
    {
        var request = Request(("redirect_uri", redirect));

        foreach (var response in (HttpResponseMessage[])[await ShowAsync(request), await PostAsync("/authorize", request)])
        {
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Null(response.Headers.Location);
            response.Dispose();
        }
    }

    [Theory]
    [InlineData("response_type", "token", "unsupported_response_type")]
    [InlineData("response_mode", "fragment", "invalid_request")]
    [InlineData("code_challenge", "", "invalid_request")]
    [InlineData("code_challenge_method", "plain", "invalid_request")]
    public async Task A_login_without_what_it_needs_leads_back_with_the_reason(string name, string value, string error)
    {
        using var response = await ShowAsync(Request((name, value), ("state", "s")));

        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        var result = QueryHelpers.ParseQuery(response.Headers.Location!.Query);
        Assert.Equal((error, "s"), (result["error"].ToString(), result["state"].ToString()));
    }

    [Fact]
    public async Task Another_client_is_not_led_back_at_all()
    {
        using var response = await ShowAsync(Request(("client_id", "another")));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Somebody_who_is_not_there_cannot_be_chosen()
    {
        var back = await ChooseAsync("eve", Request());

        Assert.Equal("access_denied", QueryHelpers.ParseQuery(back.Query)["error"]);
    }

    [Theory]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("\"><img src=x onerror=alert(1)>")]
    [InlineData("'; rm -rf / #")]
    public async Task A_name_is_text_wherever_it_stands(string name)
    {
        _people.Clear();
        _people.Add(new(name, name, name));
        using var choice = await ShowAsync(Request(("state", name)));
        using var list = await _http.GetAsync(_server.Address, Cancellation);

        foreach (var response in (HttpResponseMessage[])[choice, list])
        {
            var html = await response.Content.ReadAsStringAsync(Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img", html, StringComparison.OrdinalIgnoreCase);
            Assert.Contains(name, WebUtility.HtmlDecode(html), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_name_with_a_quote_stays_one_argument_of_the_command_line()
    {
        _people.Clear();
        _people.Add(new("o'hara; id", "O'Hara", ""));

        var html = WebUtility.HtmlDecode(await _http.GetStringAsync(_server.Address, Cancellation));

        Assert.Contains(@"--data-urlencode 'username=o'\''hara; id' http", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_person_has_a_button_and_the_page_says_its_language()
    {
        using var response = await ShowAsync(Request());
        var html = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(["Continue as Ada", "Continue as Bob"], Button().Matches(html).Select(match => match.Groups[1].Value));
        Assert.Contains("<html lang=\"en\">", html, StringComparison.Ordinal);
        Assert.Contains("<h1>Log in</h1>", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/jwks")]
    [InlineData("/nothing")]
    public async Task Every_answer_is_kept_nowhere_and_framed_by_nobody(string path)
    {
        using var response = await _http.GetAsync(new Uri(_server.Address, path), Cancellation);

        Assert.True(response.Headers.CacheControl!.NoStore);
        Assert.Equal(["nosniff"], response.Headers.GetValues("X-Content-Type-Options"));
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_policy_of_the_choice_lets_its_form_lead_back()
    {
        using var response = await ShowAsync(Request());

        Assert.Contains(
            "form-action 'self' http://127.0.0.1:5173;",
            response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5173", true)]
    [InlineData("http://localhost:8080", true)]
    [InlineData("https://attacker.example", false)]
    [InlineData("http://127.0.0.1.attacker.example", false)]
    [InlineData("null", false)]
    public async Task Only_pages_of_this_machine_read_the_answers(string origin, bool mayRead)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, new Uri(_server.Address, "/token"));
        request.Headers.Add("Origin", origin);
        using var response = await _http.SendAsync(request, Cancellation);

        Assert.Equal(
            mayRead ? [origin] : [],
            response.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed : []);
    }

    [Fact]
    public async Task A_name_of_the_internet_that_leads_here_gets_nothing()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _server.Address);
        request.Headers.Host = "attacker.example";
        using var response = await _http.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.MisdirectedRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_command_line_gets_a_token_for_a_name()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_server.Address, "/token"));
        request.Headers.Add("Accept", "text/plain");
        request.Content = new FormUrlEncodedContent(
            new Dictionary<string, string> { ["grant_type"] = "password", ["username"] = "ada" });
        using var response = await _http.SendAsync(request, Cancellation);

        Assert.Equal("ada", (string)ClaimsOf(await response.Content.ReadAsStringAsync(Cancellation))["sub"]!);
    }

    [Fact]
    public async Task A_command_line_gets_none_for_a_name_that_is_not_there()
    {
        using var response = await PostAsync("/token", new() { ["grant_type"] = "password", ["username"] = "eve" });

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_logout_leads_back_to_a_registered_address_only()
    {
        using var back = await _http.GetAsync(
            new Uri(_server.Address, "/logout?post_logout_redirect_uri=" + Uri.EscapeDataString(Callback)), Cancellation);
        using var away = await _http.GetAsync(
            new Uri(_server.Address, "/logout?post_logout_redirect_uri=https%3A%2F%2Fattacker.example%2F"), Cancellation);

        Assert.Equal(Callback, back.Headers.Location!.ToString());
        Assert.Equal((HttpStatusCode.OK, null), (away.StatusCode, away.Headers.Location));
    }

    [Theory]
    [InlineData("https://example.com/")]
    [InlineData("http://127.0.0.1:5173/app")]
    public void Only_addresses_of_this_machine_can_be_registered(string prefix) =>
        Assert.Throws<ArgumentException>(() => _server.AllowRedirects(new Uri(prefix)));

    [Fact]
    public async Task Keys_and_port_outlive_a_restart()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var (first, token) = await SignAsync(file);
            var (second, _) = await SignAsync(file);

            Assert.Equal(first, second);
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }

            await File.WriteAllTextAsync(file, "{\"port\":", Cancellation);
            Assert.NotEqual(first.Keys, (await SignAsync(file)).Server.Keys);
            Assert.NotEmpty(token);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_port_that_somebody_took_in_between_is_given_up()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            await using var first = await StartAsync(new() { StateFile = file });
            await using var second = await StartAsync(new() { StateFile = file });

            Assert.NotEqual(first.Address, second.Address);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Googles_accounts_give_tokens_of_service_accounts_and_log_nobody_in()
    {
        await using var google = await StartAsync(new() { Issuer = "https://accounts.google.com" });
        using var content = new StringContent("""{"audience":"https://export.example","includeEmail":true}""");
        using var response = await _http.PostAsync(
            new Uri(google.Address, "/v1/projects/-/serviceAccounts/push@project.iam.gserviceaccount.com:generateIdToken"),
            content, Cancellation);
        using var login = await _http.GetAsync(new Uri(google.Address, "/authorize"), Cancellation);
        using var token = await _http.PostAsync(new Uri(google.Address, "/token"), null, Cancellation);

        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!;
        var claims = ClaimsOf(answer["token"]!);
        Assert.Equal(
            ("https://accounts.google.com", "https://export.example", "push@project.iam.gserviceaccount.com", true),
            ((string)claims["iss"]!, (string)claims["aud"]!, (string)claims["email"]!, (bool)claims["email_verified"]!));
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (login.StatusCode, token.StatusCode));
    }

    private static Task<IdentityServer> StartAsync(IdentityOptions options) =>
        IdentityServer.StartAsync(options, Cancellation);

    private async Task<((Uri Address, string Keys) Server, string Token)> SignAsync(string file)
    {
        await using var server = await StartAsync(new() { StateFile = file });
        return ((server.Address, await _http.GetStringAsync(new Uri(server.Address, "/jwks"), Cancellation)),
            server.IssueAccessToken("ada"));
    }

    private static Dictionary<string, string> Request(params (string Name, string Value)[] changes)
    {
        var request = new Dictionary<string, string>
        {
            ["response_type"] = "code",
            ["client_id"] = "admin-ui",
            ["redirect_uri"] = Callback,
            ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier))),
            ["code_challenge_method"] = "S256",
        };
        foreach (var (name, value) in changes)
        {
            request[name] = value;
        }

        return request;
    }

    private Task<HttpResponseMessage> ShowAsync(Dictionary<string, string> request) => _http.GetAsync(
        QueryHelpers.AddQueryString(new Uri(_server.Address, "/authorize").ToString(), request!), Cancellation);

    private async Task<Uri> ChooseAsync(string subject, Dictionary<string, string> request)
    {
        using var response = await PostAsync("/authorize", new(request) { ["subject"] = subject });
        Assert.Equal(HttpStatusCode.SeeOther, response.StatusCode);
        return response.Headers.Location!;
    }

    private async Task<string> CodeAsync() =>
        QueryHelpers.ParseQuery((await ChooseAsync("ada", Request())).Query)["code"]!;

    private async Task<(HttpStatusCode Status, JsonNode Body)> ExchangeAsync(
        string code, params (string Name, string Value)[] changes)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "authorization_code",
            ["client_id"] = "admin-ui",
            ["redirect_uri"] = Callback,
            ["code"] = code,
            ["code_verifier"] = Verifier,
        };
        foreach (var (name, value) in changes)
        {
            form[name] = value;
        }

        using var response = await PostAsync("/token", form);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancellation))!);
    }

    private Task<(HttpStatusCode Status, JsonNode Body)> RefreshAsync(string token) => ExchangeAsync(
        code: "", ("grant_type", "refresh_token"), ("refresh_token", token));

    private async Task<string> RefusalAsync(string code, params (string Name, string Value)[] changes)
    {
        var (status, body) = await ExchangeAsync(code, changes);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        return (string)body["error"]!;
    }

    private async Task<HttpResponseMessage> PostAsync(string path, Dictionary<string, string> form)
    {
        using var content = new FormUrlEncodedContent(form);
        return await _http.PostAsync(new Uri(_server.Address, path), content, Cancellation);
    }

    private static JsonNode ClaimsOf(JsonNode token) => ClaimsOf((string)token!);

    private static JsonNode ClaimsOf(string token) => JsonNode.Parse(Base64Url.DecodeFromChars(token.Split('.')[1]))!;

    [GeneratedRegex("<button type=\"submit\">([^<]*)</button>")]
    private static partial Regex Button();
}
