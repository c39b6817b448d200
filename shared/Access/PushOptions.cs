using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Access;

/// <summary>
/// Whose pushes an event function takes, bound from the <c>Push</c> section. There is no setting that takes a push without a
/// token: a function without these settings does not start.
/// </summary>
public sealed class PushOptions : IValidatableObject
{
    public const string Section = "Push";

    /// <summary>What <c>iss</c> must be, exactly.</summary>
    [Required]
    public string Issuer { get; init; } = "https://accounts.google.com";

    /// <summary>The issuer's discovery document, which leads to its keys.</summary>
    [Required]
    public string MetadataAddress { get; init; } = "https://accounts.google.com/.well-known/openid-configuration";

    /// <summary>
    /// What <c>aud</c> must be, exactly and alone: the <c>oidc_token.audience</c> of the function's own subscriptions. One of its
    /// own for each function, or a push to one is a push to all.
    /// </summary>
    [Required]
    public string Audience { get; init; } = "";

    /// <summary>E-mail of the service account that the subscriptions push as.</summary>
    [Required]
    [RegularExpression("^[^@ ]+@[^@ ]+$")]
    public string ServiceAccount { get; init; } = "";

    /// <summary>Takes a discovery document by <c>http</c> from loopback, as <c>./run</c> serves one.</summary>
    public bool AllowHttp { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IssuerUrl.WhyNot(MetadataAddress, AllowHttp) is { } reason)
        {
            yield return new ValidationResult(reason, [nameof(MetadataAddress)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class PushOptionsValidator : IValidateOptions<PushOptions>;
