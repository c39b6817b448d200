using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Tuning;

/// <summary>A tuning job that should not be.</summary>
/// <param name="RunLabel">Empty when the job has none.</param>
public sealed record DuplicateJob(TuningJob Job, string RunLabel, string Why);

/// <summary>What is known of the run that a tuning job names.</summary>
/// <param name="HasJob">Whether an attempt of the run has recorded a job, this one or another.</param>
public sealed record RunStanding(bool IsOver, bool HasJob);

/// <summary>What a search came to.</summary>
/// <param name="Stopped">How many jobs were asked to stop.</param>
/// <param name="Waiting">
/// Jobs that no attempt has recorded yet and that may still get theirs: to be searched again.
/// </param>
public sealed record DuplicateFindings(int Stopped, IReadOnlyList<TuningJob> Waiting);

/// <summary>Looks, for ever, for tuning jobs of ours that no row stands for, and stops them: the last net below the protocol.</summary>
public sealed partial class DuplicateSearch(
    NpgsqlDataSource database, ITuningService tuning, TimeProvider time, ILogger<DuplicateSearch> logger)
{
    private const string Actor = "system:sweep";

    /// <param name="jobs">
    /// Of one or all parents, all or some: rows say which jobs are ours, so that no job is stopped for what a list
    /// lacks. They are listed before the rows are read: a job recorded since then is recorded.
    /// </param>
    public async Task<DuplicateFindings> CancelAsync(
        IReadOnlyList<TuningJob> jobs, ICollection<Exception> failures, CancellationToken cancellationToken)
    {
        var ours = jobs
            .Where(job => job.BelongsTo(tuning.Target.Environment))
            .DistinctBy(job => job.Name)
            .ToList();
        if (ours.Count == 0)
        {
            return new DuplicateFindings(0, []);
        }

        Dictionary<string, Run> runs;
        Dictionary<string, RunStanding> standings;
        IReadOnlySet<string> recorded;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            var ids = ours.Select(TuningRequest.RunOf).OfType<Guid>().Distinct().ToArray();
            runs = (await db.ListRunsAsync(ids, cancellationToken)).ToDictionary(run => TuningRequest.RunLabel(run.Id));
            var withJob = await db.ListRunsWithJobAsync(ids, cancellationToken);
            recorded = await db.ListRecordedJobsAsync([.. ours.Select(job => job.Name)], cancellationToken);
            standings = runs.ToDictionary(
                each => each.Key,
                each => new RunStanding(RunTransitions.IsFinal(each.Value.State), withJob.Contains(each.Value.Id)));
        }

        var duplicates = Find(ours, recorded, standings);
        var stopped = 0;
        foreach (var duplicate in duplicates)
        {
            stopped += await OneByOne.TryAsync(
                () => StopAsync(duplicate, runs.GetValueOrDefault(duplicate.RunLabel), cancellationToken),
                failures, e => LogNotCancelled(e, duplicate.Job.Name, duplicate.RunLabel, duplicate.Why),
                cancellationToken)
                ? 1
                : 0;
        }

        return new DuplicateFindings(stopped, [.. ours.Where(IsWaiting)]);

        bool IsWaiting(TuningJob job) =>
            !recorded.Contains(job.Name)
            && standings.GetValueOrDefault(job.Label(TuningLabels.Run) ?? "") is { IsOver: false, HasJob: false };
    }

    /// <summary>Live jobs, youngest first, that no attempt has recorded and that one too many runs, or no run, stands for.</summary>
    /// <param name="runs">By label, the runs that exist.</param>
    public static IReadOnlyList<DuplicateJob> Find(
        IEnumerable<TuningJob> jobs, IReadOnlySet<string> recorded, IReadOnlyDictionary<string, RunStanding> runs)
    {
        var found = new List<DuplicateJob>();
        foreach (var group in jobs.GroupBy(job => job.Label(TuningLabels.Run) ?? ""))
        {
            var unrecorded = group.Where(job => !recorded.Contains(job.Name))
                .OrderBy(job => job.CreatedAt).ThenBy(job => job.Name, StringComparer.Ordinal).ToList();

            // The oldest one of a run may be on its way into the database, or be adopted by the reconciler.
            var (excess, why) = runs.GetValueOrDefault(group.Key) switch
            {
                null => (unrecorded, "no run stands for it"),
                { IsOver: true } => (unrecorded, "its run is over and never had it"),
                { HasJob: var hasJob } => (unrecorded.Skip(hasJob ? 0 : 1), "its run has another one"),
            };
            found.AddRange(excess.Where(job => job.IsLive).Reverse().Select(job => new DuplicateJob(job, group.Key, why)));
        }

        return found;
    }

    private async Task StopAsync(DuplicateJob duplicate, Run? run, CancellationToken cancellationToken)
    {
        await tuning.CancelAsync(duplicate.Job.Name, cancellationToken);
        LogCancelled(duplicate.Job.Name, duplicate.RunLabel, duplicate.Why);
        if (run is not null)
        {
            await using var db = await database.OpenConnectionAsync(cancellationToken);
            await db.AddAuditEntryAsync(
                run.Scope, Actor, "cancel-duplicate-job", $"tuning job {duplicate.Job.Name}",
                $"run {run.Id}: {duplicate.Why}", time.GetUtcNow(), cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "Tuning job {Job} with run label '{RunLabel}' cancelled: {Why}")]
    private partial void LogCancelled(string job, string runLabel, string why);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "Tuning job {Job} with run label '{RunLabel}' could not be cancelled, and costs money: {Why}")]
    private partial void LogNotCancelled(Exception exception, string job, string runLabel, string why);
}
