using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Access;

/// <summary>Whose tokens the admin API takes, bound from the <c>Access</c> section.</summary>
public sealed class AccessOptions : IValidatableObject
{
    public const string Section = "Access";

    private static readonly string[] UsualAlgorithms = ["RS256", "ES256"];
    private static readonly string[] SafeAlgorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>
    /// URL of the OpenID Connect issuer, exactly as its tokens carry it in <c>iss</c>, last slash included or not. Its keys
    /// come from <c>/.well-known/openid-configuration</c> below it.
    /// </summary>
    [Required]
    public string Authority { get; init; } = "";

    /// <summary>What <c>aud</c> must hold, exactly.</summary>
    [Required]
    public string Audience { get; init; } = "";

    /// <summary>Id of the browser UI at the issuer; public.</summary>
    [Required]
    public string ClientId { get; init; } = "";

    /// <summary>How far the issuer's clock may be from ours.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Signature algorithms taken; none given means RS256 and ES256. Only those with a public key: with a shared secret,
    /// everybody who can check a token can make one.
    /// </summary>
    /// <remarks>Empty by default because a configured list is added to a default one, and could not narrow it.</remarks>
    public IReadOnlyList<string> Algorithms { get; init; } = [];

    /// <summary>Takes an issuer that speaks <c>http</c> on loopback, as <c>./run</c> starts one.</summary>
    public bool AllowHttp { get; init; }

    internal IReadOnlyList<string> AcceptedAlgorithms => Algorithms.Count == 0 ? UsualAlgorithms : Algorithms;

    internal string MetadataAddress => Authority.TrimEnd('/') + "/.well-known/openid-configuration";

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IssuerUrl.WhyNot(Authority, AllowHttp) is { } reason)
        {
            yield return new ValidationResult(reason, [nameof(Authority)]);
        }

        foreach (var algorithm in Algorithms.Except(SafeAlgorithms, StringComparer.Ordinal))
        {
            yield return new ValidationResult(
                $"algorithm {algorithm} is none of {string.Join(", ", SafeAlgorithms)}", [nameof(Algorithms)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class AccessOptionsValidator : IValidateOptions<AccessOptions>;
