using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>Our tuning jobs by parent, as one pass over Vertex's list found them.</summary>
internal sealed class JobListing
{
    public Dictionary<string, IReadOnlyList<TuningJob>> ByParent { get; } = [];

    public IReadOnlyList<TuningJob> All => [.. ByParent.Values.SelectMany(jobs => jobs)];
}

/// <summary>The parts of the sweep that compare rows with Vertex's list, which is read once for all of them.</summary>
internal sealed partial class JobSweep(
    NpgsqlDataSource database,
    ITuningService tuning,
    TuningReconciler reconciler,
    DuplicateSearch duplicates,
    IOptions<SweepOptions> options,
    ILogger<JobSweep> logger)
{
    /// <summary>Lists every parent that an attempt was ever sent to, and settles what the list can settle.</summary>
    /// <returns>Attempts that were looked at.</returns>
    public async Task<int> SettleAsync(
        JobListing listing, List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<TuningAttempt> attempts;
        IReadOnlyList<string> parents;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            attempts = await db.ListUnknownAttemptsAsync(options.Value.BatchSize, cancellationToken);
            parents = await db.ListVertexParentsAsync(cancellationToken);
        }

        foreach (var parent in parents)
        {
            await KeepGoingAsync(
                parent, failures, async token => listing.ByParent[parent] = await ListAsync(parent, token),
                cancellationToken);
        }

        foreach (var attempt in attempts)
        {
            if (listing.ByParent.TryGetValue(attempt.VertexParent, out var jobs))
            {
                await KeepGoingAsync(
                    $"run {attempt.RunId}", failures, token => reconciler.SettleAsync(attempt, jobs, token),
                    cancellationToken);
            }
        }

        return attempts.Count;
    }

    public Task<int> StopDuplicatesAsync(JobListing listing, CancellationToken cancellationToken) =>
        duplicates.CancelAsync(listing.All, cancellationToken);

    private async Task<IReadOnlyList<TuningJob>> ListAsync(string parent, CancellationToken cancellationToken)
    {
        var jobs = new List<TuningJob>();
        await foreach (var job in tuning.ListAsync(parent, cancellationToken))
        {
            if (job.BelongsTo(tuning.Target.Environment))
            {
                jobs.Add(job);
            }
        }

        return jobs;
    }

    private async Task KeepGoingAsync(
        string subject, List<Exception> failures, Func<CancellationToken, Task> act,
        CancellationToken cancellationToken)
    {
        try
        {
            await act(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            LogSkipped(e, subject);
            failures.Add(e);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Subject} is left to the next sweep")]
    private partial void LogSkipped(Exception exception, string subject);
}
