using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using FeedbackLoop.Local;
using FeedbackLoop.Local.Identity;
using FeedbackLoop.Testing;
using Google.Cloud.Functions.Hosting;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Access.Tests;

/// <summary>Pub/Sub's tokens, in front of an event function as it is deployed.</summary>
public sealed class PushAccessTests(PostgresFixture postgres) : Scenario(postgres)
{
    private const string Google = "https://accounts.google.com";
    private const string Audience = "https://export.example";
    private const string Account = "push@project.iam.gserviceaccount.com";

    private readonly string _state = Path.GetTempFileName();
    private IdentityServer _google = null!; // these are set before each test
    private IdentityServer _stranger = null!;
    private FunctionHost _function = null!;

    public static TheoryData<string> BadNames => [.. BadTokens.All.Keys];

    private Forge Forge => new(_google, _stranger, Http, Good, Clock.GetUtcNow());

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task A_bad_token_is_401_and_never_reaches_the_database(string name)
    {
        var header = await BadTokens.All[name](Forge);

        Assert.Equal(HttpStatusCode.Unauthorized, await PushAsync(header));

        Assert.Equal(0, await CountConnectionsAsync());
        AssertNotLogged(header);
    }

    [Theory]
    [InlineData("email", "\"push@another.iam.gserviceaccount.com\"")]
    [InlineData("email", "\"PUSH@project.iam.gserviceaccount.com\"")]
    [InlineData("email", "null")]
    [InlineData("email", "[\"push@project.iam.gserviceaccount.com\"]")]
    [InlineData("email_verified", "false")]
    [InlineData("email_verified", "null")]
    [InlineData("email_verified", "\"false\"")]
    [InlineData("aud", "[\"https://export.example\",\"https://train.example\"]")]
    [InlineData("iss", "\"accounts.google.com\"")]
    public async Task A_token_of_somebody_else_is_401(string claim, string json)
    {
        var header = "Bearer " + Forge.With(claims => claims[claim] = JsonNode.Parse(json));

        Assert.Equal(HttpStatusCode.Unauthorized, await PushAsync(header));

        Assert.Equal(0, await CountConnectionsAsync());
    }

    [Theory]
    [InlineData("email")]
    [InlineData("email_verified")]
    public async Task A_token_that_leaves_its_account_out_is_401(string claim) =>
        Assert.Equal(
            HttpStatusCode.Unauthorized, await PushAsync("Bearer " + Forge.With(claims => claims.Remove(claim))));

    [Fact]
    public async Task Only_the_algorithm_of_Google_is_taken() =>
        Assert.Equal(
            HttpStatusCode.Unauthorized, await PushAsync("Bearer " + Forge.With(_ => { }, algorithm: "ES256")));

    [Fact]
    public async Task Keys_that_a_token_points_at_are_not_looked_up()
    {
        var (trap, address) = BadTokens.Trap();
        using (trap)
        {
            Assert.Equal(
                HttpStatusCode.Unauthorized, await PushAsync("Bearer " + BadTokens.PointingAt(Forge, address)));

            Assert.False(trap.Pending());
        }
    }

    [Fact]
    public async Task A_push_of_the_own_subscription_reaches_the_step()
    {
        var header = "Bearer " + _google.IssuePushToken(Account, Audience);

        Assert.Equal(HttpStatusCode.OK, await PushAsync(header));

        Assert.Equal(1L, await Database.ScalarAsync<long>("select count(*) from ml.rejected_messages", Cancellation));
        Assert.NotEqual(0, await CountConnectionsAsync());
        AssertNotLogged(header);
    }

    [Theory]
    [InlineData("exp", -59, HttpStatusCode.OK)]
    [InlineData("exp", -60, HttpStatusCode.Unauthorized)]
    [InlineData("iat", 60, HttpStatusCode.OK)]
    [InlineData("iat", 61, HttpStatusCode.Unauthorized)]
    public async Task A_time_may_be_wrong_by_a_minute_and_not_by_a_second_more(
        string claim, int fromNow, HttpStatusCode expected) =>
        Assert.Equal(expected, await PushAsync("Bearer " + Forge.With(claims => claims[claim] = Now + fromNow)));

    [Fact]
    public async Task Two_tokens_are_none() =>
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await PushAsync("Bearer " + _google.Sign(Good()), "Bearer " + _google.Sign(Good())));

    [Theory]
    [InlineData("/")]
    [InlineData("/robots.txt")]
    [InlineData("/healthz")]
    [InlineData("/projects/project/topics/export-requested/")]
    public async Task No_path_is_open(string path)
    {
        using var response = await Http.GetAsync(new Uri(_function.Address, path), Cancellation);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Fact]
    public async Task A_body_without_a_token_is_not_waited_for()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _function.Address.Port, Cancellation);
        await using var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n"),
            Cancellation);

        var answer = new byte[12];
        await stream.ReadExactlyAsync(answer, Cancellation).AsTask().WithPatience();

        Assert.Equal("HTTP/1.1 401", Encoding.ASCII.GetString(answer));
    }

    [Fact]
    public async Task A_token_without_its_signature_is_refused_with_the_way_out()
    {
        var good = _google.Sign(Good());

        Assert.Equal(
            HttpStatusCode.Unauthorized,
            await PushAsync($"Bearer {good[..good.LastIndexOf('.')]}.SIGNATURE_REMOVED_BY_GOOGLE"));

        Assert.Contains(Log.Lines, line => line.Contains("Cloud Run removed the signature", StringComparison.Ordinal));
    }

    [Fact]
    public async Task While_the_keys_cannot_be_had_a_push_is_503_and_afterwards_all_is_well()
    {
        var port = _google.Address.Port;
        var header = "Bearer " + _google.Sign(Good());
        await _google.DisposeAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await PushAsync(header));

        _google = await StartGoogleAsync(port);
        Clock.Advance(IssuerKeys.RetryInterval);

        Assert.Equal(HttpStatusCode.OK, await PushAsync(header));
    }

    [Theory]
    [InlineData("Push:Audience", "")]
    [InlineData("Push:ServiceAccount", "")]
    [InlineData("Push:ServiceAccount", "push")]
    [InlineData("Push:Issuer", "")]
    [InlineData("Push:MetadataAddress", "")]
    [InlineData("Push:MetadataAddress", "http://issuer.example/")]
    [InlineData("Push:AllowHttp", "false")]
    public async Task A_function_that_does_not_know_its_caller_does_not_start(string name, string value)
    {
        var settings = Settings();
        settings[name] = value;

        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => StartFunctionAsync(settings));

        Assert.Equal(typeof(PushOptions), failure.OptionsType);
    }

    private protected override async Task StartAsync()
    {
        File.Delete(_state);
        _google = await StartGoogleAsync(port: 0);
        _stranger = await StartIssuerAsync(new() { Issuer = Google, Time = Clock });
        _function = await StartFunctionAsync(Settings());
    }

    private protected override async Task StopAsync()
    {
        await _function.DisposeAsync();
        await _stranger.DisposeAsync();
        await _google.DisposeAsync();
        File.Delete(_state);
    }

    private JsonObject Good()
    {
        var claims = _google.Claims("1234", Audience);
        claims["email"] = Account;
        claims["email_verified"] = true;
        return claims;
    }

    private Task<IdentityServer> StartGoogleAsync(int port) =>
        StartIssuerAsync(new() { Issuer = Google, Port = port, StateFile = _state, Time = Clock });

    private Task<FunctionHost> StartFunctionAsync(IReadOnlyDictionary<string, string?> settings) =>
        FunctionHost.StartAsync("ExportFunction", settings, new ClockStartup(Clock), Log.AddTo, Cancellation);

    private Dictionary<string, string?> Settings() => new()
    {
        ["Database:ConnectionString"] = Database.ConnectionString,
        ["GoogleCloud:ProjectId"] = "project",
        ["GoogleCloud:Location"] = "us-central1",
        ["GoogleCloud:Bucket"] = "datasets",
        ["GoogleCloud:Environment"] = "test",
        ["GoogleCloud:TuningServiceAccount"] = "tuning@project.iam.gserviceaccount.com",
        ["GoogleCloud:StorageAddress"] = "http://127.0.0.1:1",
        ["GoogleCloud:PubSubAddress"] = "http://127.0.0.1:1",
        ["Push:MetadataAddress"] = _google.MetadataAddress.ToString(),
        ["Push:AllowHttp"] = "true",
        ["Push:Audience"] = Audience,
        ["Push:ServiceAccount"] = Account,
    };

    private async Task<HttpStatusCode> PushAsync(params string?[] headers)
    {
        const string body =
            """
            {"message":{"messageId":"17","data":"e30=","attributes":{"message":"export-requested"}},"subscription":"s"}
            """;
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(_function.Address, "projects/project/topics/export-requested"));
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        foreach (var header in headers.OfType<string>())
        {
            request.Headers.TryAddWithoutValidation("Authorization", header);
        }

        using var response = await Http.SendAsync(request, Cancellation);
        return response.StatusCode;
    }

    private sealed class ClockStartup(TimeProvider clock) : FunctionsStartup
    {
        public override void ConfigureServices(WebHostBuilderContext context, IServiceCollection services) =>
            services.AddSingleton(clock);
    }
}
