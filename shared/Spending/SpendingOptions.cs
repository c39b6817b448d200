using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Spending;

/// <summary>What may be spent, and from when on a person is asked; bound from the <c>Spending</c> section.</summary>
public sealed class SpendingOptions
{
    public const string Section = "Spending";

    /// <summary>
    /// USD that an organization may spend in a calendar month, UTC, while nobody has set a limit for it. Its schedule sets another
    /// one, or says that there is none.
    /// </summary>
    [Range(0.0, 1_000_000.0)]
    public decimal DefaultMonthlyLimitUsd { get; init; } = 100;

    /// <summary>Most trainings of one project, or of one general model, that begin within 24 hours, whoever starts them.</summary>
    [Range(1, 1_000)]
    public int RunsPerDay { get; init; } = 10;

    /// <summary>USD; a training that is estimated above waits until a person has approved it.</summary>
    [Range(0.0, 1_000_000.0)]
    public decimal ApprovalUsd { get; init; } = 50;

    /// <summary>So many times the estimate of the scope's last training; one above waits for a person too.</summary>
    [Range(1.0, 1_000.0)]
    public decimal ApprovalFactor { get; init; } = 5;

    /// <summary>How long a training waits for a person before the sweep ends it as skipped.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "7.00:00:00")]
    public TimeSpan ApprovalTime { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// USD that the extractions of an organization cost in a calendar month, UTC, above which each sweep says so. No limit ends
    /// extractions.
    /// </summary>
    [Range(0.01, 1_000_000.0)]
    public decimal ExtractionAlarmUsd { get; init; } = 100;

    /// <summary>
    /// Whether extractions go on with the base model while all spending is stopped; tuned models are not asked then. False: jobs
    /// wait until the stop is over.
    /// </summary>
    public bool BaseModelWhileStopped { get; init; } = true;
}

[OptionsValidator]
public sealed partial class SpendingOptionsValidator : IValidateOptions<SpendingOptions>;
