using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.PollTuning;

/// <summary>Our tuning jobs by parent, where one sweep read the list from its first page to its last.</summary>
internal sealed class JobListing
{
    public Dictionary<string, IReadOnlyList<TuningJob>> Whole { get; } = [];
}

/// <summary>
/// The parts of the sweep that compare rows with Vertex's list. Each reads for as long as it may, and the next sweep
/// goes on from there.
/// </summary>
internal sealed partial class JobSweep(
    NpgsqlDataSource database,
    ITuningService tuning,
    JobListReader reader,
    TuningReconciler reconciler,
    DuplicateSearch duplicates,
    IOptions<TuningOptions> tuningOptions,
    IOptions<SweepOptions> options,
    ILogger<JobSweep> logger)
{
    /// <summary>Lists every parent that an unanswered call was sent to, and settles what the list can settle.</summary>
    /// <returns>Attempts that were looked at.</returns>
    public async Task<int> SettleAsync(
        JobListing listing, List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<TuningAttempt> attempts;
        Dictionary<RunId, DateTimeOffset> created;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            attempts = await db.TakeUnknownAttemptsAsync(options.Value.BatchSize, cancellationToken);
            var runs = await db.ListRunsAsync([.. attempts.Select(attempt => attempt.RunId.Value)], cancellationToken);
            created = runs.ToDictionary(run => run.Id, run => run.CreatedAt);
        }

        var parents = attempts.GroupBy(attempt => attempt.VertexParent).ToList();
        foreach (var parent in parents)
        {
            await OneByOne.TryAsync(
                () => SettleParentAsync(parent, parents.Count), failures, e => LogLeft(e, parent.Key),
                cancellationToken);
        }

        return attempts.Count;

        async Task SettleParentAsync(IGrouping<string, TuningAttempt> parent, int parts)
        {
            var since = parent.Min(attempt => created[attempt.RunId]);
            var pass = await ReadUnansweredAsync(
                listing, parent.Key, since, tuningOptions.Value.ListTime / parts, cancellationToken);
            foreach (var attempt in parent)
            {
                await OneByOne.TryAsync(
                    () => reconciler.SettleAsync(attempt, created[attempt.RunId], pass, cancellationToken),
                    failures, e => LogLeft(e, $"run {attempt.RunId}"), cancellationToken);
            }

            if (pass.Proves(since))
            {
                await using var db = await database.OpenConnectionAsync(cancellationToken);
                await db.DeleteListingAsync(parent.Key, ListingPurpose.Unanswered, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Reads on in the list of every parent that an attempt was ever sent to, for ever, and stops what is one too many.
    /// </summary>
    public async Task<int> StopDuplicatesAsync(
        JobListing listing, List<Exception> failures, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> parents;
        await using (var db = await database.OpenConnectionAsync(cancellationToken))
        {
            parents = await db.ListVertexParentsAsync(cancellationToken);
        }

        var stopped = 0;
        foreach (var parent in parents)
        {
            await OneByOne.TryAsync(
                async () => stopped += listing.Whole.TryGetValue(parent, out var jobs)
                    ? (await duplicates.CancelAsync(jobs, failures, cancellationToken)).Stopped
                    : await StopDuplicatesAsync(
                        parent, tuningOptions.Value.ListTime / parents.Count, failures, cancellationToken),
                failures, e => LogLeft(e, parent), cancellationToken);
        }

        return stopped;
    }

    // What a page has of an unresolved run is kept together with its token: no page is behind us whose jobs are
    // forgotten.
    private async Task<ListingPass> ReadUnansweredAsync(
        JobListing listing, string parent, DateTimeOffset since, TimeSpan patience, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var saved = await db.FindListingAsync(parent, ListingPurpose.Unanswered, cancellationToken);
        var ours = new List<TuningJob>();
        var pass = await reader.ReadAsync(
            db, parent, saved, since, patience,
            async jobs =>
            {
                var page = jobs.Where(job => job.BelongsTo(tuning.Target.Environment)).ToList();
                ours.AddRange(page);
                var ids = page.Select(TuningRequest.RunOf).OfType<Guid>().Distinct().ToArray();
                var unresolved = await db.ListUnresolvedRunsAsync(ids, cancellationToken);
                return [.. page.Where(job => TuningRequest.RunOf(job) is { } id && unresolved.Contains(new RunId(id)))];
            },
            async read =>
            {
                await db.SaveListingAsync(parent, ListingPurpose.Unanswered, read, cancellationToken);
                return true;
            },
            cancellationToken) ?? throw new InvalidOperationException("a sweep's listing is always saved");
        if (saved is null && pass is { IsAtEnd: true, Restarts: 0 })
        {
            listing.Whole[parent] = ours;
        }

        return pass;
    }

    private async Task<int> StopDuplicatesAsync(
        string parent, TimeSpan patience, List<Exception> failures, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var saved = await db.FindListingAsync(parent, ListingPurpose.Duplicates, cancellationToken);
        var ours = new List<TuningJob>(saved?.Found ?? []);
        var pass = saved;
        await OneByOne.TryAsync(
            async () => pass = await reader.ReadAsync(
                db, parent, saved, since: null, patience,
                jobs =>
                {
                    ours.AddRange(jobs.Where(job => job.BelongsTo(tuning.Target.Environment)));
                    return Task.FromResult<IReadOnlyList<TuningJob>>([]);
                },
                async read =>
                {
                    await db.SaveListingAsync(parent, ListingPurpose.Duplicates, pass = read, cancellationToken);
                    return true;
                },
                cancellationToken),
            failures, e => LogLeft(e, parent), cancellationToken);

        // Two jobs of one run may stand on pages that two sweeps read: the first one is remembered until the pass is
        // over.
        var (stopped, waiting) = await duplicates.CancelAsync(ours, failures, cancellationToken);
        switch (pass)
        {
            case { IsAtEnd: true }:
                await db.DeleteListingAsync(parent, ListingPurpose.Duplicates, cancellationToken);
                break;
            case not null:
                await db.SaveListingAsync(
                    parent, ListingPurpose.Duplicates, pass with { Found = waiting }, cancellationToken);
                break;
        }

        return pass is { IsGivenUp: true, IsAtEnd: false }
            ? throw new InvalidOperationException(
                $"the tuning jobs under {parent} could not be listed to their end in {pass.Restarts} tries: Vertex AI "
                + "does not take its own page tokens any more by the time they are used. A longer Tuning:ListTime reads "
                + "more pages at once")
            : stopped;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Subject} is left to the next sweep")]
    private partial void LogLeft(Exception exception, string subject);
}
