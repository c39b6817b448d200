using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using FeedbackLoop.Local.Identity;
using Google.Cloud.PubSub.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.PubSub;

/// <summary>Pushes that say who sends them.</summary>
public sealed class PushTokenTests : PubSubTestBase
{
    private const string Account = "push@demo.iam.gserviceaccount.com";
    private static readonly IdentityOptions Google = new() { Issuer = "https://accounts.google.com" };

    private IdentityServer? _google;

    protected override PubSubOptions Options => new()
    {
        BackoffScale = 0.001,
        SignPush = (account, audience) => _google!.IssuePushToken(account, audience),
    };

    [Fact]
    public async Task A_push_carries_a_token_of_the_account_for_the_audience()
    {
        await using var google = _google = await IdentityServer.StartAsync(Google, Cancel);
        await SubscribeAsync(WithToken("https://function.example"));
        await PublishAsync("a");
        await IdleAsync();

        var claims = await VerifyAsync(google, Assert.Single(Receiver.Received).Authorization);
        Assert.Equal(
            ("https://accounts.google.com", "https://function.example", Account, true),
            ((string)claims["iss"]!, (string)claims["aud"]!, (string)claims["email"]!, (bool)claims["email_verified"]!));
        Assert.Equal(3600, (long)claims["exp"]! - (long)claims["iat"]!);
    }

    [Fact]
    public async Task Without_an_audience_it_is_for_the_endpoint()
    {
        await using var google = _google = await IdentityServer.StartAsync(Google, Cancel);
        await SubscribeAsync(WithToken(""));
        await PublishAsync("a");
        await IdleAsync();

        var claims = await VerifyAsync(google, Assert.Single(Receiver.Received).Authorization);
        Assert.Equal(Receiver.Endpoint, (string)claims["aud"]!);
    }

    [Fact]
    public async Task A_redelivery_carries_one_too()
    {
        await using var google = _google = await IdentityServer.StartAsync(Google, Cancel);
        Receiver.Answer = (_, attempt, _) => Task.FromResult(attempt == 1 ? 401 : 204);
        await SubscribeAsync(WithToken("https://function.example"));
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal(2, Receiver.Received.Count);
        Assert.All(Receiver.Received, push => Assert.StartsWith("Bearer ", push.Authorization, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_subscription_that_wants_no_token_gets_none()
    {
        await SubscribeAsync();
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal("", Assert.Single(Receiver.Received).Authorization ?? "");
    }

    [Fact]
    public async Task An_account_that_is_no_address_is_refused()
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => SubscribeAsync(subscription =>
            subscription.PushConfig.OidcToken = new() { ServiceAccountEmail = "push" }));

        Assert.Equal(StatusCode.InvalidArgument, refusal.StatusCode);
    }

    [Fact]
    public async Task Without_an_issuer_a_subscription_with_a_token_is_refused_rather_than_pushed_without()
    {
        await using var server = await PubSubServer.StartAsync(new(), Cancel);
        using var channel = Grpc.Net.Client.GrpcChannel.ForAddress(server.Address);
        await new Publisher.PublisherClient(channel).CreateTopicAsync(
            new Topic { Name = Topic }, cancellationToken: Cancel);
        var subscription = new Subscription
        {
            Name = Subscription,
            Topic = Topic,
            PushConfig = new() { PushEndpoint = Receiver.Endpoint, OidcToken = new() { ServiceAccountEmail = Account } },
        };

        Assert.Equal(
            StatusCode.Unimplemented,
            await StatusOfAsync(new Subscriber.SubscriberClient(channel).CreateSubscriptionAsync(
                subscription, cancellationToken: Cancel)));
    }

    [Fact]
    public async Task The_forwarder_adds_the_token_that_the_emulator_cannot_make()
    {
        await using var google = await IdentityServer.StartAsync(Google, Cancel);
        await using var forwarder = await PushForwarder.StartAsync(google.IssuePushToken, Cancel);
        var address = forwarder.Register(new Uri(Receiver.Endpoint), Account, "https://function.example");
        Receiver.Answer = (_, count, _) => Task.FromResult(count == 1 ? 503 : 204);
        await SubscribeAsync(subscription => subscription.PushConfig.PushEndpoint = address.ToString());
        await PublishAsync("a");
        await IdleAsync();

        Assert.Equal(2, Receiver.Received.Count);
        var push = Receiver.Received[1];
        Assert.Equal(("a", "application/json", "?token=abc"), (push.Text, push.ContentType, push.Query));
        Assert.Equal(Account, (string)(await VerifyAsync(google, push.Authorization))["email"]!);
    }

    private static Action<Subscription> WithToken(string audience) => subscription =>
        subscription.PushConfig.OidcToken = new() { ServiceAccountEmail = Account, Audience = audience };

    /// <summary>By hand, with what the issuer publishes: the product's own check is not known here.</summary>
    private static async Task<JsonNode> VerifyAsync(IdentityServer issuer, string? authorization)
    {
        var parts = authorization!["Bearer ".Length..].Split('.');
        var header = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!;
        using var http = new HttpClient();
        var keys = JsonNode.Parse(await http.GetStringAsync(new Uri(issuer.Address, "/jwks"), Cancel))!["keys"]!.AsArray();
        var key = keys.Single(each => (string)each!["kid"]! == (string)header["kid"]!)!;
        using var rsa = RSA.Create(new RSAParameters
        {
            Modulus = Base64Url.DecodeFromChars((string)key["n"]!),
            Exponent = Base64Url.DecodeFromChars((string)key["e"]!),
        });

        Assert.Equal("RS256", (string)header["alg"]!);
        Assert.True(rsa.VerifyData(
            System.Text.Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]),
            HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        return JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
    }
}
