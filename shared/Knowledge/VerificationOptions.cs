using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Knowledge;

/// <summary>Settings of what counts as verified, bound from the <c>Verification</c> section.</summary>
/// <remarks>All functions and the command line must have the same: whoever counts by others counts all projects anew.</remarks>
public sealed class VerificationOptions
{
    public const string Section = "Verification";

    private static readonly string[] Accepted = ["accepted"];

    /// <summary>
    /// Values of an object's <c>status</c> with which the product says that it accepts the object. Unset: <c>accepted</c>.
    /// </summary>
    [MinLength(1)]
    public IReadOnlyList<string>? AcceptedStatuses { get; init; }

    internal IReadOnlyList<string> Statuses => AcceptedStatuses ?? Accepted;
}

[OptionsValidator]
public sealed partial class VerificationOptionsValidator : IValidateOptions<VerificationOptions>;
