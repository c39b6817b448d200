using System.Security.Claims;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FeedbackLoop.Access;

/// <summary>What is taken from one issuer.</summary>
/// <param name="WhyNot">Looks at a token whose signature and times are right; null when nothing speaks against it.</param>
internal sealed record TokenRules(
    string Issuer, string Audience, IReadOnlyList<string> Algorithms, TimeSpan ClockSkew,
    Func<JsonWebToken, string?> WhyNot);

internal abstract record TokenOutcome
{
    private TokenOutcome()
    {
    }

    public sealed record Accepted(JsonWebToken Token, ClaimsIdentity Identity) : TokenOutcome;

    /// <param name="Reason">For our log: a few words of our own, and nothing out of the token.</param>
    public sealed record Refused(string Reason) : TokenOutcome;

    /// <summary>The issuer's keys cannot be had: the sender should try again.</summary>
    public sealed record Unavailable(IssuerUnavailableException Cause) : TokenOutcome;
}

/// <summary>Whether a bearer token is one of ours.</summary>
/// <remarks>
/// Keys come from the issuer's discovery document only; what the token's header says about keys (<c>jku</c>, <c>x5u</c>,
/// <c>jwk</c>) is not read.
/// </remarks>
internal sealed class TokenCheck(TokenRules rules, IssuerKeys keys, TimeProvider time)
{
    /// <summary>Longest token that is looked at, in characters.</summary>
    public const int MaxLength = 16 * 1024;

    private readonly JsonWebTokenHandler _handler = new()
    {
        MapInboundClaims = false,
        MaximumTokenSizeInBytes = MaxLength,
    };

    public async Task<TokenOutcome> CheckAsync(string text, CancellationToken cancellationToken)
    {
        if (text.Length is 0 or > MaxLength)
        {
            return new TokenOutcome.Refused("length");
        }

        if (Read(text) is not { } token)
        {
            return new TokenOutcome.Refused("form");
        }

        // Before the issuer is asked for anything: its keys are not looked up for what it has not signed.
        if (WhyNotWorthAsking(token) is { } obvious)
        {
            return new TokenOutcome.Refused(obvious);
        }

        try
        {
            return await ValidateAsync(token, await keys.GetAsync(token.Kid, cancellationToken));
        }
        catch (IssuerUnavailableException e)
        {
            return new TokenOutcome.Unavailable(e);
        }
    }

    private static JsonWebToken? Read(string text)
    {
        try
        {
            return new JsonWebToken(text);
        }
        // The parser throws what its parts throw: for parts missing, for base64 and for JSON.
        catch (Exception e) when (e is ArgumentException or FormatException or System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private string? WhyNotWorthAsking(JsonWebToken token) =>
        token.IsEncrypted ? "form"
        : !rules.Algorithms.Contains(token.Alg, StringComparer.Ordinal) ? "algorithm"
        : token.Issuer != rules.Issuer ? "issuer"
        : string.IsNullOrEmpty(token.Kid) ? "no key id"
        : token.TryGetHeaderValue<object>("crit", out _) ? "critical header"
        : null;

    private async Task<TokenOutcome> ValidateAsync(JsonWebToken token, IReadOnlyList<SecurityKey> signingKeys)
    {
        var parameters = new TokenValidationParameters
        {
            ValidateIssuer = true,
            ValidIssuer = rules.Issuer,
            ValidateAudience = true,
            RequireAudience = true,
            ValidAudience = rules.Audience,
            IgnoreTrailingSlashWhenValidatingAudience = false,
            ValidAlgorithms = rules.Algorithms,
            RequireSignedTokens = true,
            ValidateIssuerSigningKey = true,
            IssuerSigningKeys = signingKeys,
            TryAllIssuerSigningKeys = false,
            ValidateLifetime = true,
            RequireExpirationTime = true,
            LifetimeValidator = (notBefore, expires, _, _) => IsInTime(token, notBefore, expires),
            NameClaimType = JwtRegisteredClaimNames.Sub,
        };
        var result = await _handler.ValidateTokenAsync(token, parameters);
        return !result.IsValid ? new TokenOutcome.Refused(ReasonOf(result.Exception))
            : rules.WhyNot(token) is { } reason ? new TokenOutcome.Refused(reason)
            : new TokenOutcome.Accepted(token, result.ClaimsIdentity);
    }

    // The library's own rule uses the machine's clock and ignores when a token was issued.
    private bool IsInTime(JsonWebToken token, DateTime? notBefore, DateTime? expires)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var latestStart = now + rules.ClockSkew;
        return expires > now - rules.ClockSkew
            && (notBefore ?? DateTime.MinValue) <= latestStart
            && token.IssuedAt != DateTime.MinValue
            && token.IssuedAt <= latestStart;
    }

    private static string ReasonOf(Exception? failure) => failure switch
    {
        SecurityTokenInvalidAudienceException => "audience",
        SecurityTokenInvalidIssuerException => "issuer",
        SecurityTokenInvalidAlgorithmException => "algorithm",
        SecurityTokenInvalidLifetimeException or SecurityTokenNoExpirationException => "time",
        SecurityTokenSignatureKeyNotFoundException => "unknown key",
        SecurityTokenInvalidSignatureException => "signature",
        _ => failure?.GetType().Name ?? "invalid",
    };
}
