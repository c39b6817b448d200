using System.Net;
using FeedbackLoop.Local.Identity;
using FeedbackLoop.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Access.Tests;

/// <summary>People's tokens, over HTTP.</summary>
public sealed class AccessTests(PostgresFixture postgres) : Scenario(postgres)
{
    private const string Audience = "feedback-loop-api";

    private readonly string _state = Path.GetTempFileName();
    private IdentityServer _issuer = null!; // these are set before each test
    private IdentityServer _stranger = null!;
    private WebApplication _host = null!;

    public static TheoryData<string> BadNames => [.. BadTokens.All.Keys];

    private Forge Forge => new(
        _issuer, _stranger, Http, () => _issuer.Claims("ada", Audience), Clock.GetUtcNow());

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task A_bad_token_is_401_and_never_reaches_the_database(string name)
    {
        var header = await BadTokens.All[name](Forge);

        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(header));

        Assert.Equal(0, await CountConnectionsAsync());
        AssertNotLogged(header);
    }

    [Fact]
    public async Task A_token_that_names_nobody_is_401()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync("Bearer " + Forge.With(claims => claims.Remove("sub"))));

        Assert.Equal(0, await CountConnectionsAsync());
    }

    [Fact]
    public async Task A_token_of_100_KB_does_not_even_get_as_far_as_the_check()
    {
        var header = "Bearer " + Forge.With(claims => claims["padding"] = new string('x', 75_000));

        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, await AskAsync(header));

        Assert.Equal(0, await CountConnectionsAsync());
    }

    [Fact]
    public async Task Keys_that_a_token_points_at_are_not_looked_up()
    {
        var (trap, address) = BadTokens.Trap();
        using (trap)
        {
            Assert.Equal(
                HttpStatusCode.Unauthorized, await AskAsync("Bearer " + BadTokens.PointingAt(Forge, address)));

            Assert.False(trap.Pending());
            Assert.Equal(0, await CountConnectionsAsync());
        }
    }

    [Fact]
    public async Task The_token_that_the_browser_gets_about_the_login_is_not_one_for_the_api()
    {
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await AskAsync("Bearer " + _issuer.Sign(_issuer.Claims("ada", "admin-ui"))));
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public async Task A_good_token_names_its_person(string algorithm)
    {
        await Database.ExecuteAsync(
            "insert into core.user_profiles (zitadel_user_id, display_name) values ('ada', 'Ada L.')", Cancellation);

        using var response = await SendAsync("Bearer " + Forge.With(_ => { }, algorithm: algorithm));

        Assert.Equal("Ada L.", await response.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(1, await CountConnectionsAsync());
        AssertNotLogged(Forge.With(_ => { }, algorithm: algorithm));
    }

    [Fact]
    public async Task A_token_may_be_meant_for_others_besides()
    {
        var header = "Bearer " + Forge.With(
            claims => claims["aud"] = new System.Text.Json.Nodes.JsonArray("another", Audience));

        Assert.Equal(HttpStatusCode.OK, await AskAsync(header));
    }

    [Theory]
    [InlineData("exp", -59, HttpStatusCode.OK)]
    [InlineData("exp", -60, HttpStatusCode.Unauthorized)]
    [InlineData("iat", 60, HttpStatusCode.OK)]
    [InlineData("iat", 61, HttpStatusCode.Unauthorized)]
    [InlineData("nbf", 60, HttpStatusCode.OK)]
    [InlineData("nbf", 61, HttpStatusCode.Unauthorized)]
    public async Task A_time_may_be_wrong_by_the_skew_and_not_by_a_second_more(
        string claim, int fromNow, HttpStatusCode expected)
    {
        Assert.Equal(expected, await AskAsync("Bearer " + Forge.With(claims => claims[claim] = Now + fromNow)));
    }

    [Fact]
    public async Task A_new_key_of_the_issuer_is_taken_at_once_and_an_old_one_ends()
    {
        var old = "Bearer " + _issuer.IssueAccessToken("ada");
        Assert.Equal(HttpStatusCode.OK, await AskAsync(old));
        _issuer.RotateKeys();
        Clock.Advance(IssuerKeys.LookupInterval);

        Assert.Equal(HttpStatusCode.OK, await AskAsync("Bearer " + _issuer.IssueAccessToken("ada")));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(old));
    }

    [Fact]
    public async Task A_withdrawn_key_ends_within_the_hour_even_when_nobody_uses_the_new_one()
    {
        var old = "Bearer " + Forge.With(claims => claims["exp"] = Now + 7200);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(old));
        _issuer.RotateKeys();

        Clock.Advance(IssuerKeys.FreshFor);

        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(old));
    }

    [Fact]
    public async Task Made_up_keys_do_not_make_us_ask_the_issuer_again_and_again()
    {
        await AskAsync("Bearer " + _issuer.IssueAccessToken("ada"));
        var before = _issuer.KeyRequests;

        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => AskAsync(
            "Bearer " + _stranger.Sign(Forge.Good(), header: new() { ["kid"] = $"made-up-{i}" }))));

        Assert.Equal(before, _issuer.KeyRequests);
    }

    [Fact]
    public async Task Tokens_that_cannot_be_good_do_not_make_us_ask_the_issuer_at_all()
    {
        await AskAsync("Bearer " + Forge.With(claims => claims["iss"] = "https://issuer.example"));
        await AskAsync("Bearer a.b.c");

        Assert.Equal(0, _issuer.KeyRequests);
    }

    [Fact]
    public async Task While_the_issuer_is_down_the_answer_is_503_and_afterwards_all_is_well()
    {
        var port = _issuer.Address.Port;
        var header = "Bearer " + _issuer.IssueAccessToken("ada");
        await _issuer.DisposeAsync();

        using (var response = await SendAsync(header))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.NotNull(response.Headers.RetryAfter);
        }

        Assert.Equal(0, await CountConnectionsAsync());
        Assert.Contains(Log.Lines, line => line.StartsWith("Warning: Nobody can be let in", StringComparison.Ordinal));

        _issuer = await StartIssuerAsync(new() { Port = port, StateFile = _state, Time = Clock });
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(header));
        Clock.Advance(IssuerKeys.RetryInterval);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(header));
    }

    [Fact]
    public async Task Known_keys_serve_for_a_day_while_the_issuer_is_away()
    {
        var header = "Bearer " + Forge.With(claims => claims["exp"] = Now + 200_000);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(header));
        await _issuer.DisposeAsync();

        Clock.Advance(TimeSpan.FromHours(23));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(header));
        Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(header));
    }

    [Fact]
    public async Task A_discovery_document_of_another_issuer_is_as_good_as_none()
    {
        await using var other = await StartIssuerAsync(new() { Issuer = "https://issuer.example", Time = Clock });
        await using var host = await AccessHost.StartAsync(
            Settings(("Authority", other.Address.ToString())), Database.ConnectionString, Clock, Log, Cancellation);
        var claims = other.Claims("ada", Audience);
        claims["iss"] = other.Address.ToString();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync("Bearer " + other.Sign(claims), host));
    }

    [Fact]
    public async Task Keys_that_lie_behind_a_redirect_are_as_good_as_none()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        await using var detour = builder.Build();
        var keys = new Uri(_issuer.Address, "/jwks").ToString();
        detour.MapGet("/jwks", () => Results.Redirect(keys));
        detour.MapGet("/.well-known/openid-configuration", () => Results.Text(
            $$"""{"issuer":"{{detour.Urls.Single()}}","jwks_uri":"{{detour.Urls.Single()}}/jwks"}""", "application/json"));
        await detour.StartAsync(Cancellation);
        await using var host = await AccessHost.StartAsync(
            Settings(("Authority", detour.Urls.Single())), Database.ConnectionString, Clock, Log, Cancellation);

        var header = "Bearer " + Forge.With(claims => claims["iss"] = detour.Urls.Single());

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskAsync(header, host));
        Assert.Equal(0, _issuer.KeyRequests);
    }

    [Fact]
    public async Task Algorithms_can_be_narrowed()
    {
        await using var host = await AccessHost.StartAsync(
            Settings(("Algorithms:0", "ES256")), Database.ConnectionString, Clock, Log, Cancellation);

        Assert.Equal(HttpStatusCode.OK, await AskAsync("Bearer " + Forge.With(_ => { }, algorithm: "ES256"), host));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync("Bearer " + Forge.With(_ => { }), host));
    }

    [Theory]
    [InlineData("Authority", "")]
    [InlineData("Authority", "issuer.example")]
    [InlineData("Authority", "http://issuer.example")]
    [InlineData("Authority", "https://issuer.example?a=b")]
    [InlineData("Authority", "ftp://127.0.0.1/")]
    [InlineData("AllowHttp", "false")]
    [InlineData("Audience", "")]
    [InlineData("ClientId", "")]
    [InlineData("ClockSkew", "00:01:01")]
    [InlineData("ClockSkew", "-00:00:01")]
    [InlineData("Algorithms:0", "none")]
    [InlineData("Algorithms:0", "HS256")]
    [InlineData("Algorithms:1", "rs256")]
    public async Task A_loose_setting_does_not_start(string name, string value)
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => AccessHost.StartAsync(
            Settings((name, value)), Database.ConnectionString, Clock, Log, Cancellation));

        Assert.Equal(typeof(AccessOptions), failure.OptionsType);
    }

    private protected override async Task StartAsync()
    {
        File.Delete(_state);
        _issuer = await StartIssuerAsync(new() { StateFile = _state, Time = Clock });
        _stranger = await StartIssuerAsync(new() { Issuer = _issuer.Issuer, Time = Clock });
        _host = await AccessHost.StartAsync(Settings(), Database.ConnectionString, Clock, Log, Cancellation);
    }

    private protected override async Task StopAsync()
    {
        await _host.DisposeAsync();
        await _stranger.DisposeAsync();
        await _issuer.DisposeAsync();
        File.Delete(_state);
    }

    private Dictionary<string, string?> Settings(params (string Name, string Value)[] changes)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Access:Authority"] = _issuer.Issuer,
            ["Access:AllowHttp"] = "true",
            ["Access:Audience"] = Audience,
            ["Access:ClientId"] = "admin-ui",
        };
        foreach (var (name, value) in changes)
        {
            settings["Access:" + name] = value;
        }

        return settings;
    }

    private async Task<HttpStatusCode> AskAsync(string? header, WebApplication? host = null)
    {
        using var response = await SendAsync(header, host);
        return response.StatusCode;
    }

    private async Task<HttpResponseMessage> SendAsync(string? header, WebApplication? host = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri((host ?? _host).Urls.Single()), "/me"));
        if (header is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", header);
        }

        return await Http.SendAsync(request, Cancellation);
    }
}
