using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace FeedbackLoop.Access;

/// <summary>The issuer's keys cannot be had: nothing is known about the token.</summary>
internal sealed class IssuerUnavailableException(string message, Exception? inner) : Exception(message, inner);

/// <summary>An issuer's signing keys, from its discovery document.</summary>
/// <remarks>
/// Not the library's <see cref="ConfigurationManager{T}"/>: that one refuses the first token after a rotation while it looks
/// for the new key in the background, and takes no <see cref="TimeProvider"/>.
/// </remarks>
/// <param name="issuer">What the document must call itself (OpenID Connect Discovery 1.0, 4.3).</param>
internal sealed class IssuerKeys(string issuer, string metadataAddress, bool allowHttp, TimeProvider time) : IDisposable
{
    /// <summary>Keys are looked up again after this, so that a withdrawn one ends.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromHours(1);

    /// <summary>Keys of an issuer that cannot be reached are used so long.</summary>
    public static readonly TimeSpan UsableFor = TimeSpan.FromHours(24);

    /// <summary>An unknown key asks the issuer at most so often: whoever sends tokens can make keys up.</summary>
    public static readonly TimeSpan LookupInterval = TimeSpan.FromSeconds(10);

    /// <summary>After a failure the issuer is left alone so long.</summary>
    public static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _fetching = new(1);

    // Redirects are not followed: keys come from where the configuration says.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = !allowHttp,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = TimeSpan.FromSeconds(10),
        MaxResponseContentBufferSize = 1024 * 1024,
    };

    private volatile KeySet _known = KeySet.None;

    /// <returns>All keys of the issuer. The one asked for is not among them when the issuer does not know it.</returns>
    /// <exception cref="IssuerUnavailableException">There are none, and the issuer does not hand them out now.</exception>
    public async ValueTask<IReadOnlyList<SecurityKey>> GetAsync(string keyId, CancellationToken cancellationToken)
    {
        if (!IsLookupDue(_known, keyId))
        {
            return Usable(_known);
        }

        await _fetching.WaitAsync(cancellationToken);
        try
        {
            // Whoever waited here may have been waiting for just this.
            if (IsLookupDue(_known, keyId))
            {
                _known = await FetchAsync(_known, cancellationToken);
            }

            return Usable(_known);
        }
        finally
        {
            _fetching.Release();
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _fetching.Dispose();
    }

    private bool IsLookupDue(KeySet known, string keyId)
    {
        var now = time.GetUtcNow();
        return now >= known.NextLookup && (now >= known.FetchedAt + FreshFor || !known.Has(keyId));
    }

    private IReadOnlyList<SecurityKey> Usable(KeySet known) =>
        known.Keys.Count > 0 && time.GetUtcNow() < known.FetchedAt + UsableFor
            ? known.Keys
            : throw new IssuerUnavailableException($"no keys of {issuer}", known.Failure);

    private async Task<KeySet> FetchAsync(KeySet known, CancellationToken cancellationToken)
    {
        try
        {
            var documents = new HttpDocumentRetriever(_http) { RequireHttps = !allowHttp };
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(
                metadataAddress, documents, cancellationToken);
            if (configuration.Issuer != issuer)
            {
                throw new InvalidDataException($"{metadataAddress} is the document of {configuration.Issuer}, not of {issuer}");
            }

            var now = time.GetUtcNow();
            var keys = configuration.SigningKeys.Where(key => key is AsymmetricSecurityKey or JsonWebKey).ToArray();
            return keys.Length > 0
                ? new KeySet(keys, now, now + LookupInterval, Failure: null)
                : throw new InvalidDataException($"{metadataAddress} leads to no signing key");
        }
        // Network, status, JSON, wrong document: whatever it is, the keys are not to be had now.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return known with { NextLookup = time.GetUtcNow() + RetryInterval, Failure = e };
        }
    }

    private sealed record KeySet(
        IReadOnlyList<SecurityKey> Keys, DateTimeOffset FetchedAt, DateTimeOffset NextLookup, Exception? Failure)
    {
        public static KeySet None { get; } =
            new([], DateTimeOffset.MinValue, DateTimeOffset.MinValue, Failure: null);

        public bool Has(string keyId) => Keys.Any(key => key.KeyId == keyId);
    }
}
