using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Tuning;

/// <summary>Times and limits around tuning jobs, bound from the <c>Tuning</c> section.</summary>
public sealed class TuningOptions
{
    public const string Section = "Tuning";

    private static readonly TimeSpan[] UsualPollDelays =
        [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10)];

    /// <summary>Epochs that a cost estimate assumes when a run leaves the choice to Vertex, which adapts to the data.</summary>
    [Range(1, 100)]
    public int AssumedEpochs { get; init; } = 4;

    /// <summary>
    /// How long a worker owns a run. Longer than the one call (60 s) and recording its answer take together; while it
    /// lists, each page begins the lease anew.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>A worker that gets this old between intent and call does not call any more.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:30")]
    public TimeSpan LongestPauseBeforeCall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long one delivery, or one part of a sweep, reads Vertex AI's list of tuning jobs. The next one goes on from
    /// there.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:03:00")]
    public TimeSpan ListTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Nobody concludes before this that an unanswered call made no job. The database refuses less than two hours.</summary>
    [Range(typeof(TimeSpan), "02:00:00", "2.00:00:00")]
    public TimeSpan QuietTime { get; init; } = TimeSpan.FromHours(2);

    /// <summary>How long after its quiet time a call may stay unsettled before each sweep reports it as an error.</summary>
    [Range(typeof(TimeSpan), "00:05:00", "2.00:00:00")]
    public TimeSpan UnsettledTolerance { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Failed tries of the create step, by exception, before its run fails.</summary>
    [Range(1, 100)]
    public int MaxStepAttempts { get; init; } = 8;

    /// <summary>Refusals that waiting may heal (no permission, a conflict) before the run fails. Quota is not among them.</summary>
    [Range(1, 100)]
    public int MaxRefusals { get; init; } = 8;

    /// <summary>
    /// Waits before the first, second … look at a job; the last one repeats. None: 1, 2, 5, then every 10 minutes.
    /// </summary>
    public IReadOnlyList<TimeSpan> PollDelays { get; init; } = [];

    /// <summary>How long after its creation a job may be unknown to Vertex's own reads.</summary>
    public TimeSpan NotFoundTolerance { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A job that takes longer is cancelled, and its run fails.</summary>
    public TimeSpan TuningDeadline { get; init; } = TimeSpan.FromHours(72);

    /// <summary>
    /// How long a finished model may be evaluated. What others have answered by then and it has not counts against it, and
    /// what was answered decides.
    /// </summary>
    public TimeSpan EvaluatingDeadline { get; init; } = TimeSpan.FromHours(6);

    /// <summary>
    /// How long Vertex may take to end a job that was cancelled, or a call may stay unsettled after its quiet time,
    /// before an operator is asked.
    /// </summary>
    public TimeSpan CancelDeadline { get; init; } = TimeSpan.FromHours(24);

    /// <param name="pollCount">Looks so far.</param>
    public TimeSpan PollDelay(int pollCount)
    {
        // Not the property's default: configuration adds to a list's default instead of replacing it.
        var delays = PollDelays.Count > 0 ? PollDelays : UsualPollDelays;
        return delays[Math.Min(pollCount, delays.Count - 1)];
    }
}

[OptionsValidator]
public sealed partial class TuningOptionsValidator : IValidateOptions<TuningOptions>;
