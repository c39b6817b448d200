using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace FeedbackLoop.Local.Identity;

/// <summary>Refresh tokens that were handed out; each is good once, and gone at the end of the server.</summary>
internal sealed class RefreshTokens
{
    /// <summary>What a login has to ask for to get one (OpenID Connect Core, 11).</summary>
    public const string Scope = "offline_access";

    private readonly ConcurrentDictionary<string, IdentityPerson> _people = new(StringComparer.Ordinal);

    public string Add(IdentityPerson person)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        _people[token] = person;
        return token;
    }

    /// <returns>Null for a token that is unknown or used.</returns>
    public IdentityPerson? Take(string token) => _people.TryRemove(token, out var person) ? person : null;
}
