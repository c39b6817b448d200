using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace FeedbackLoop.Local.Identity;

/// <summary>A pair of keys, one for RS256 and one for ES256.</summary>
internal sealed class SigningKeys
{
    private readonly RSA _rsa;
    private readonly ECDsa _ec;

    private SigningKeys(RSA rsa, ECDsa ec)
    {
        (_rsa, _ec) = (rsa, ec);
        (RsaId, EcId) = (IdOf(rsa), IdOf(ec));
    }

    public string RsaId { get; }

    public string EcId { get; }

    public static SigningKeys Create() => new(RSA.Create(2048), ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static SigningKeys Read(JsonNode state)
    {
        var (rsa, ec) = (RSA.Create(), ECDsa.Create());
        rsa.ImportPkcs8PrivateKey(Convert.FromBase64String((string)state["rsa"]!), out _);
        ec.ImportPkcs8PrivateKey(Convert.FromBase64String((string)state["ec"]!), out _);
        return new(rsa, ec);
    }

    public void Write(JsonObject state)
    {
        state["rsa"] = Convert.ToBase64String(_rsa.ExportPkcs8PrivateKey());
        state["ec"] = Convert.ToBase64String(_ec.ExportPkcs8PrivateKey());
    }

    /// <param name="header">Members beside <c>alg</c>, <c>kid</c> and <c>typ</c>, or instead of them.</param>
    public string Sign(JsonObject claims, string algorithm, JsonObject? header)
    {
        var (id, sign) = algorithm switch
        {
            "RS256" => (RsaId, (Func<byte[], byte[]>)(content =>
                _rsa.SignData(content, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))),
            "ES256" => (EcId, content => _ec.SignData(content, HashAlgorithmName.SHA256)),
            _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "RS256 or ES256"),
        };
        var whole = new JsonObject { ["alg"] = algorithm, ["kid"] = id, ["typ"] = "JWT" };
        foreach (var (name, value) in header ?? [])
        {
            whole[name] = value?.DeepClone();
        }

        return SignedToken.Write(whole, claims, sign);
    }

    /// <summary>The public halves (RFC 7517).</summary>
    public JsonArray ToJwks()
    {
        var rsa = _rsa.ExportParameters(includePrivateParameters: false);
        var ec = _ec.ExportParameters(includePrivateParameters: false);
        return
        [
            new JsonObject
            {
                ["kty"] = "RSA", ["use"] = "sig", ["alg"] = "RS256", ["kid"] = RsaId,
                ["n"] = Base64Url.EncodeToString(rsa.Modulus), ["e"] = Base64Url.EncodeToString(rsa.Exponent),
            },
            new JsonObject
            {
                ["kty"] = "EC", ["use"] = "sig", ["alg"] = "ES256", ["kid"] = EcId, ["crv"] = "P-256",
                ["x"] = Base64Url.EncodeToString(ec.Q.X), ["y"] = Base64Url.EncodeToString(ec.Q.Y),
            },
        ];
    }

    private static string IdOf(AsymmetricAlgorithm key) =>
        Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];
}
