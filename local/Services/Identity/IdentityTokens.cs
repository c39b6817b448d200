using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace FeedbackLoop.Local.Identity;

/// <summary>Makes the tokens of one issuer.</summary>
internal sealed class IdentityTokens(IdentityOptions options, string issuer, SigningKeys keys)
{
    private volatile SigningKeys _keys = keys;

    public string Issuer => issuer;

    public SigningKeys Keys => _keys;

    public void Rotate() => _keys = SigningKeys.Create();

    public string Sign(JsonObject claims, string algorithm, JsonObject? header) => _keys.Sign(claims, algorithm, header);

    /// <summary><c>iss</c>, <c>aud</c>, <c>iat</c>, <c>exp</c> and <c>sub</c>, right in every respect.</summary>
    public JsonObject Claims(string subject, string audience)
    {
        var now = options.Time.GetUtcNow();
        return new()
        {
            ["iss"] = issuer,
            ["sub"] = subject,
            ["aud"] = audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + options.TokenLifetime).ToUnixTimeSeconds(),
        };
    }

    public string Access(IdentityPerson person)
    {
        var claims = Claims(person.Subject, options.Audience);
        claims["client_id"] = options.ClientId;
        claims["name"] = person.Name;
        claims["jti"] = RandomNumberGenerator.GetHexString(16, lowercase: true);
        return Sign(claims, "RS256", header: null);
    }

    /// <summary>For the client itself; the API must not take it.</summary>
    public string Identity(IdentityPerson person, string? nonce)
    {
        var claims = Claims(person.Subject, options.ClientId);
        claims["name"] = person.Name;
        if (nonce is not null)
        {
            claims["nonce"] = nonce;
        }

        return Sign(claims, "RS256", header: null);
    }
}
