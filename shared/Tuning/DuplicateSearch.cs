using FeedbackLoop.Runs;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Tuning;

/// <summary>A tuning job that should not be.</summary>
/// <param name="RunLabel">Empty when the job has none.</param>
public sealed record DuplicateJob(TuningJob Job, string RunLabel, string Why);

/// <summary>Looks, for ever, for tuning jobs of ours that no row stands for, and stops them: the last net below the protocol.</summary>
public sealed partial class DuplicateSearch(
    NpgsqlDataSource database, ITuningService tuning, TimeProvider time, ILogger<DuplicateSearch> logger)
{
    private const string Actor = "system:sweep";

    /// <param name="jobs">Of all parents, listed before the rows are read: a job recorded since then is recorded.</param>
    /// <returns>How many were asked to stop.</returns>
    public async Task<int> CancelAsync(IReadOnlyList<TuningJob> jobs, CancellationToken cancellationToken)
    {
        var ours = jobs.Where(job => job.BelongsTo(tuning.Target.Environment)).ToList();
        if (ours.Count == 0)
        {
            return 0;
        }

        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var ids = ours.Select(job => ParseRun(job.Label(TuningLabels.Run))).OfType<Guid>().Distinct().ToArray();
        var runs = (await db.ListRunsAsync(ids, cancellationToken)).ToDictionary(run => TuningRequest.RunLabel(run.Id));
        var recorded = await db.ListRecordedJobsAsync([.. ours.Select(job => job.Name)], cancellationToken);
        var over = runs.ToDictionary(each => each.Key, each => RunTransitions.IsFinal(each.Value.State));

        var duplicates = Find(ours, recorded, over);
        foreach (var duplicate in duplicates)
        {
            await StopAsync(db, duplicate, runs.GetValueOrDefault(duplicate.RunLabel), cancellationToken);
        }

        return duplicates.Count;
    }

    /// <summary>Live jobs, youngest first, that no attempt has recorded and that one too many runs, or no run, stands for.</summary>
    /// <param name="runs">Per label of a run that exists, whether the run is over.</param>
    public static IReadOnlyList<DuplicateJob> Find(
        IEnumerable<TuningJob> jobs, IReadOnlySet<string> recorded, IReadOnlyDictionary<string, bool> runs)
    {
        var found = new List<DuplicateJob>();
        foreach (var group in jobs.GroupBy(job => job.Label(TuningLabels.Run) ?? ""))
        {
            var unrecorded = group.Where(job => !recorded.Contains(job.Name))
                .OrderBy(job => job.CreatedAt).ThenBy(job => job.Name, StringComparer.Ordinal).ToList();

            // The oldest one of a run may be on its way into the database, or be adopted by the reconciler.
            var (excess, why) = runs.TryGetValue(group.Key, out var isOver)
                ? isOver
                    ? (unrecorded, "its run is over and never had it")
                    : (unrecorded.Skip(unrecorded.Count == group.Count() ? 1 : 0), "its run has another one")
                : (unrecorded, "no run stands for it");
            found.AddRange(excess.Where(job => job.IsLive).Reverse().Select(job => new DuplicateJob(job, group.Key, why)));
        }

        return found;
    }

    private async Task StopAsync(
        NpgsqlConnection db, DuplicateJob duplicate, Run? run, CancellationToken cancellationToken)
    {
        await tuning.CancelAsync(duplicate.Job.Name, cancellationToken);
        LogCancelled(duplicate.Job.Name, duplicate.RunLabel, duplicate.Why);
        if (run is not null)
        {
            await db.AddAuditEntryAsync(
                run.Scope, Actor, "cancel-duplicate-job", $"tuning job {duplicate.Job.Name}",
                $"run {run.Id}: {duplicate.Why}", time.GetUtcNow(), cancellationToken);
        }
    }

    private static Guid? ParseRun(string? label) => Guid.TryParseExact(label, "D", out var id) ? id : null;

    [LoggerMessage(Level = LogLevel.Critical, Message = "Tuning job {Job} with run label '{RunLabel}' cancelled: {Why}")]
    private partial void LogCancelled(string job, string runLabel, string why);
}
