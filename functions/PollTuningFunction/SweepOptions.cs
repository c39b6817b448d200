using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.PollTuning;

/// <summary>Settings of the five-minute sweep, bound from the <c>Sweep</c> section.</summary>
public sealed class SweepOptions
{
    public const string Section = "Sweep";

    /// <summary>Most rows that one part of a sweep takes; the rest waits for the next one.</summary>
    [Range(1, 10_000)]
    public int BatchSize { get; init; } = 200;

    /// <summary>Tuning jobs that are looked at at once.</summary>
    [Range(1, 32)]
    public int Parallelism { get; init; } = 4;

    /// <summary>
    /// No further tuning job is looked at after this; the next sweep begins with those that were left.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan PollTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Most changes of one project that a sweep brings into its statistics.</summary>
    [Range(1, 1_000_000)]
    public int FoldLimit { get; init; } = 50_000;

    /// <summary>No further project is counted or folded after this; a first count that has begun is ended.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan FoldTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>No further batch of deleted documents, and no further forgotten document, is looked at after this.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan DocumentTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a waiting run may be left alone before its message counts as lost.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How long ago an export must have begun before files are deleted that it did not record. Longer than any worker
    /// may still be storing some: a push ends after ten minutes, and an export has an hour.
    /// </summary>
    [Range(typeof(TimeSpan), "01:10:00", "30.00:00:00")]
    public TimeSpan LeftoverAge { get; init; } = TimeSpan.FromHours(2);

    /// <summary>A larger difference between this machine's clock and the database's is reported.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:10:00")]
    public TimeSpan ClockTolerance { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// USD that the tuning jobs of a day are estimated at, all organizations together, above which each sweep says so; stops
    /// nothing. Without it nothing is said.
    /// </summary>
    [Range(typeof(decimal), "0.01", "1000000")]
    public decimal? AlarmUsdPerDay { get; init; }
}

[OptionsValidator]
internal sealed partial class SweepOptionsValidator : IValidateOptions<SweepOptions>;
