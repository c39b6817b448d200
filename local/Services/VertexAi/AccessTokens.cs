using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>Short-lived tokens: minted by the IAM Credentials API, judged when a request is carried out.</summary>
internal sealed class AccessTokens(TimeProvider time)
{
    private const string Scheme = "Bearer ";
    private readonly ConcurrentDictionary<string, DateTimeOffset> _expiries = new();

    public (string Token, DateTimeOffset Expires) Mint(TimeSpan lifetime)
    {
        var now = time.GetUtcNow();
        foreach (var (old, expiry) in _expiries.Where(each => each.Value < now))
        {
            _expiries.TryRemove(old, out _);
        }

        var token = "ya29.local." + RandomNumberGenerator.GetHexString(40, lowercase: true);
        _expiries[token] = now + lifetime;
        return (token, now + lifetime);
    }

    /// <param name="authorization">The header of the request; null when it has none.</param>
    public void Check(string? authorization)
    {
        if (authorization?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) != true)
        {
            throw VertexErrors.Unauthenticated("CREDENTIALS_MISSING");
        }

        if (!_expiries.TryGetValue(authorization[Scheme.Length..], out var expires) || expires <= time.GetUtcNow())
        {
            throw VertexErrors.Unauthenticated("ACCESS_TOKEN_EXPIRED");
        }
    }
}
