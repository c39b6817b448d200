using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.AdminApi;

/// <summary>Limits of the admin API, bound from the <c>AdminApi</c> section.</summary>
public sealed class AdminApiOptions
{
    public const string Section = "AdminApi";

    /// <summary>Requests that start work, per person and minute, on each instance of the function.</summary>
    [Range(1, 10_000)]
    public int StartsPerMinute { get; init; } = 10;

    /// <summary>All other requests, per person and minute, on each instance of the function.</summary>
    [Range(1, 1_000_000)]
    public int RequestsPerMinute { get; init; } = 1_200;

    /// <summary>Checks before a start, each of which reads all data of its scope, per person and minute, on each instance.</summary>
    [Range(1, 10_000)]
    public int PreflightsPerMinute { get; init; } = 20;

    /// <summary>Checks that one instance runs at once; each holds four connections of the pool.</summary>
    [Range(1, 10)]
    public int MaxConcurrentPreflights { get; init; } = 2;

    /// <summary>After so long a check is given up. Below the time-out of the service, which is a minute.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:00:55")]
    public TimeSpan PreflightTimeLimit { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>
    /// Most extractions of a scope that a start of a training checks before it is accepted. Of more the export of the run
    /// decides. 0: it always does.
    /// </summary>
    [Range(0, 1_000_000)]
    public int StartCheckExtractions { get; init; } = 20_000;

    /// <summary>Largest request body, in bytes. What people send here is a page of settings.</summary>
    [Range(1_024, 1_048_576)]
    public int MaxBodyBytes { get; init; } = 65_536;

    /// <summary>Folder of the built admin UI, below the content root unless absolute. Without it there is only the API.</summary>
    [Required]
    public string UiDirectory { get; init; } = "wwwroot";
}

[OptionsValidator]
internal sealed partial class AdminApiOptionsValidator : IValidateOptions<AdminApiOptions>;
