using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using FeedbackLoop.Local.Identity;

namespace FeedbackLoop.Access.Tests;

/// <summary>What an issuer, the host under test and an attacker have to make a bad token of a good one.</summary>
/// <param name="Good">Claims that the host takes when the issuer signs them.</param>
/// <param name="Stranger">Another issuer, which says it is the same.</param>
internal sealed record Forge(
    IdentityServer Issuer, IdentityServer Stranger, HttpClient Http, Func<JsonObject> Good, DateTimeOffset Now)
{
    public string With(Action<JsonObject> change, JsonObject? header = null, string algorithm = "RS256")
    {
        var claims = Good();
        change(claims);
        return Issuer.Sign(claims, algorithm, header);
    }

    public long Seconds(int fromNow) => Now.ToUnixTimeSeconds() + fromNow;
}

/// <summary>Every bad token that there is no other test for. Null is a request without the header.</summary>
internal static class BadTokens
{
    public static Dictionary<string, Func<Forge, Task<string?>>> All { get; } = new()
    {
        ["none"] = _ => Is(null),
        ["empty"] = _ => Is("Bearer "),
        ["another scheme"] = forge => Is("Basic " + forge.Issuer.Sign(forge.Good())),
        ["not a token"] = _ => Bearer("a.b.c"),
        ["a token and a half"] = forge => Bearer(forge.Issuer.Sign(forge.Good()) + ".e30"),
        ["algorithm none"] = forge => Bearer(SignedToken.Write(
            new() { ["alg"] = "none", ["typ"] = "JWT" }, forge.Good(), _ => [])),
        ["algorithm none, with a key id"] = async forge => "Bearer " + SignedToken.Write(
            new() { ["alg"] = "none", ["kid"] = await KeyIdAsync(forge) }, forge.Good(), _ => []),
        ["no signature"] = forge => Bearer(forge.Issuer.Sign(forge.Good()) is var good
            ? good[..(good.LastIndexOf('.') + 1)]
            : ""),
        ["HS256, signed with the public key"] = async forge => "Bearer " + SignedToken.Write(
            new() { ["alg"] = "HS256", ["kid"] = await KeyIdAsync(forge) }, forge.Good(),
            await PublicKeyAsync(forge) is var secret ? content => HMACSHA256.HashData(secret, content) : null!),
        ["token of IAP"] = forge => Bearer(forge.With(
            claims =>
            {
                claims["iss"] = "https://cloud.google.com/iap";
                claims["aud"] = "/projects/1/global/backendServices/2";
            },
            algorithm: "ES256")),
        ["wrong audience"] = forge => Bearer(forge.With(claims => claims["aud"] = "another")),
        ["audience with a slash more"] = forge => Bearer(forge.With(claims => claims["aud"] = claims["aud"] + "/")),
        ["audience in capitals"] = forge => Bearer(forge.With(
            claims => claims["aud"] = claims["aud"]!.ToString().ToUpperInvariant())),
        ["no audience"] = forge => Bearer(forge.With(claims => claims.Remove("aud"))),
        ["wrong issuer"] = forge => Bearer(forge.With(claims => claims["iss"] = "https://issuer.example")),
        ["issuer with a slash more"] = forge => Bearer(forge.With(claims => claims["iss"] = claims["iss"] + "/")),
        ["no issuer"] = forge => Bearer(forge.With(claims => claims.Remove("iss"))),
        ["expired"] = forge => Bearer(forge.With(claims => claims["exp"] = forge.Seconds(-61))),
        ["no expiry"] = forge => Bearer(forge.With(claims => claims.Remove("exp"))),
        ["issued in the future"] = forge => Bearer(forge.With(claims => claims["iat"] = forge.Seconds(62))),
        ["never issued"] = forge => Bearer(forge.With(claims => claims.Remove("iat"))),
        ["not valid yet"] = forge => Bearer(forge.With(claims => claims["nbf"] = forge.Seconds(62))),
        ["times that are words"] = forge => Bearer(forge.With(claims => claims["iat"] = "yesterday")),
        ["altered payload"] = forge => Bearer(Alter(forge)),
        ["key of another issuer"] = forge => Bearer(forge.Stranger.Sign(forge.Good())),
        ["key of another issuer, by the key id of ours"] = async forge => "Bearer " + forge.Stranger.Sign(
            forge.Good(), header: new() { ["kid"] = await KeyIdAsync(forge) }),
        ["an unknown key id"] = forge => Bearer(forge.With(_ => { }, new() { ["kid"] = "made-up" })),
        ["no key id"] = forge => Bearer(forge.With(_ => { }, new() { ["kid"] = null })),
        ["critical header"] = forge => Bearer(forge.With(_ => { }, new() { ["crit"] = new JsonArray("exp") })),
        ["20 KB"] = forge => Bearer(forge.With(claims => claims["padding"] = new string('x', 15_000))),
    };

    /// <summary>
    /// A token by an attacker's key whose header says in every way where to find that key.
    /// </summary>
    public static string PointingAt(Forge forge, Uri keys) => forge.Stranger.Sign(forge.Good(), header: new()
    {
        ["jku"] = keys.ToString(),
        ["x5u"] = keys.ToString(),
        ["jwk"] = JwkOf(forge.Stranger, forge.Http).GetAwaiter().GetResult(),
    });

    /// <summary>Listens where nobody should ask.</summary>
    public static (TcpListener Listener, Uri Address) Trap()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (listener, new Uri($"http://{listener.LocalEndpoint}/jwks"));
    }

    private static Task<string?> Is(string? header) => Task.FromResult(header);

    private static Task<string?> Bearer(string token) => Is("Bearer " + token);

    private static string Alter(Forge forge)
    {
        var parts = forge.Issuer.Sign(forge.Good()).Split('.');
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        claims["sub"] = "somebody-else";
        parts[1] = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()));
        return string.Join('.', parts);
    }

    private static async Task<string> KeyIdAsync(Forge forge) =>
        (string)(await JwkOf(forge.Issuer, forge.Http))["kid"]!;

    private static async Task<byte[]> PublicKeyAsync(Forge forge)
    {
        var jwk = await JwkOf(forge.Issuer, forge.Http);
        using var rsa = RSA.Create(new RSAParameters
        {
            Modulus = Base64Url.DecodeFromChars((string)jwk["n"]!),
            Exponent = Base64Url.DecodeFromChars((string)jwk["e"]!),
        });
        return Encoding.UTF8.GetBytes(rsa.ExportSubjectPublicKeyInfoPem());
    }

    private static async Task<JsonNode> JwkOf(IdentityServer server, HttpClient http)
    {
        var keys = JsonNode.Parse(await http.GetStringAsync(
            new Uri(server.Address, "/jwks"), TestContext.Current.CancellationToken))!;
        return keys["keys"]![0]!.DeepClone();
    }
}
