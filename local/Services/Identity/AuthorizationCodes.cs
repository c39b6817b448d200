using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace FeedbackLoop.Local.Identity;

/// <summary>What a login granted, until it is exchanged.</summary>
/// <param name="Challenge">Of PKCE, S256 (RFC 7636).</param>
/// <param name="CanRefresh">Whether it was asked for <see cref="RefreshTokens.Scope"/>.</param>
internal sealed record AuthorizationGrant(
    IdentityPerson Person, string RedirectUri, string Challenge, string? Nonce, bool CanRefresh, DateTimeOffset ExpiresAt);

/// <summary>Codes that were handed out; each is good for one attempt.</summary>
internal sealed class AuthorizationCodes(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, AuthorizationGrant> _grants = new(StringComparer.Ordinal);

    public string Add(AuthorizationGrant grant)
    {
        foreach (var (old, _) in _grants.Where(entry => entry.Value.ExpiresAt <= time.GetUtcNow()))
        {
            _grants.TryRemove(old, out _);
        }

        var code = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        _grants[code] = grant;
        return code;
    }

    /// <returns>Null for a code that is unknown, used, too old, or of another client's login.</returns>
    public AuthorizationGrant? Take(string code, string redirectUri, string verifier) =>
        _grants.TryRemove(code, out var grant)
        && grant.ExpiresAt > time.GetUtcNow()
        && grant.RedirectUri == redirectUri
        && verifier.Length is >= 43 and <= 128
        && grant.Challenge == Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(verifier)))
            ? grant
            : null;
}
