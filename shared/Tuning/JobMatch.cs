using System.Globalization;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Tuning;

/// <summary>What a list of tuning jobs says about one run.</summary>
public abstract record JobMatch
{
    private JobMatch()
    {
    }

    public sealed record None : JobMatch;

    /// <param name="Intended">The attempt that the job was made for; not always the one that is open.</param>
    public sealed record Found(TuningJob Job, TuningAttempt Intended) : JobMatch;

    /// <summary>A job wears the run's label and is not what any attempt asked for: no machine may settle that.</summary>
    public sealed record Stranger(TuningJob Job, string Problem) : JobMatch;

    /// <summary>
    /// The oldest job of the run. Labels are compared here and not by the service's filter, whose treatment of labels is
    /// undocumented for tuning jobs.
    /// </summary>
    /// <param name="attempts">All of the run's, at least one.</param>
    public static JobMatch Find(
        IEnumerable<TuningJob> jobs, string environment, RunId runId, IReadOnlyList<TuningAttempt> attempts)
    {
        var label = TuningRequest.RunLabel(runId);
        var oldest = jobs
            .Where(job => job.BelongsTo(environment) && job.Label(TuningLabels.Run) == label)
            .OrderBy(job => job.CreatedAt)
            .ThenBy(job => job.Name, StringComparer.Ordinal)
            .FirstOrDefault();
        if (oldest is null)
        {
            return new None();
        }

        var number = oldest.Label(TuningLabels.Attempt);
        var intended = attempts.FirstOrDefault(
            attempt => attempt.Number.ToString(CultureInfo.InvariantCulture) == number);
        if (intended is null)
        {
            return new Stranger(oldest, $"its label says attempt {number}, which is not recorded");
        }

        if (oldest.TrainingDatasetUri != intended.DatasetUri)
        {
            return new Stranger(oldest, $"it tunes with {oldest.TrainingDatasetUri}, not {intended.DatasetUri}");
        }

        return IsSameSource(oldest, intended)
            ? new Found(oldest, intended)
            : new Stranger(
                oldest,
                $"it starts from {oldest.PreTunedModel ?? oldest.BaseModel}, "
                + $"not {intended.PreTunedModel ?? intended.BaseModel}");
    }

    // Vertex may write the project's number where we wrote its id.
    private static bool IsSameSource(TuningJob job, TuningAttempt attempt) => attempt.PreTunedModel is { } model
        ? job.PreTunedModel is { } actual && WithoutProject(actual) == WithoutProject(model)
        : job.PreTunedModel is null && job.BaseModel == attempt.BaseModel;

    private static string WithoutProject(string name) =>
        name.IndexOf("/locations/", StringComparison.Ordinal) is var start and >= 0 ? name[start..] : name;
}
