using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Scheduling;

/// <summary>Settings of the schedule tick, bound from the <c>Schedules</c> section.</summary>
public sealed class ScheduleOptions
{
    public const string Section = "Schedules";

    /// <summary>Schedules that one transaction looks at.</summary>
    [Range(1, 10_000)]
    public int BatchSize { get; init; } = 500;

    /// <summary>Most projects of one organization that are trained again at once after a new general model.</summary>
    [Range(1, 1_000)]
    public int RetrainingLimit { get; init; } = 5;

    /// <summary>Messages that a tick sends itself; the five-minute sweep sends the rest.</summary>
    [Range(1, 10_000)]
    public int RelayLimit { get; init; } = 200;
}

[OptionsValidator]
internal sealed partial class ScheduleOptionsValidator : IValidateOptions<ScheduleOptions>;
