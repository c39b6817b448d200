using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Train;

/// <summary>What the create step knows of jobs that its run has already.</summary>
internal abstract record JobLook
{
    private JobLook()
    {
    }

    /// <summary>Every job that the run can have is on the list that was read.</summary>
    /// <param name="Jobs">Those with the run's label; mostly none.</param>
    /// <param name="ListedFrom">When the list began, by the database's clock.</param>
    public sealed record Whole(IReadOnlyList<TuningJob> Jobs, DateTimeOffset ListedFrom) : JobLook;

    /// <summary>The list goes on in the next delivery; until then nobody knows.</summary>
    public sealed record Unfinished(string Why) : JobLook;

    /// <summary>The list never ends: nobody will know.</summary>
    public sealed record Endless(string Why) : JobLook;

    public sealed record ClaimLost : JobLook;
}

/// <summary>
/// Looks through Vertex AI's list for a job that the run has already, before an intent is recorded: as far as one
/// delivery comes, from where the last one stopped.
/// </summary>
internal sealed class JobLookup(ITuningService tuning, JobListReader reader, IOptions<TuningOptions> options)
{
    /// <param name="attempt">The one that is to be made; what was read for an earlier one counts for nothing.</param>
    public async Task<JobLook> LookAsync(
        NpgsqlConnection db, Run claim, int attempt, CancellationToken cancellationToken)
    {
        var label = TuningRequest.RunLabel(claim.Id);
        var saved = ListingPass.FromJson(await db.FindListingAsync(claim.Id, cancellationToken));
        ListingPass? kept = null;
        try
        {
            var pass = await reader.ReadAsync(
                db, tuning.Target.Parent, saved?.Attempt == attempt ? saved : null, claim.CreatedAt,
                options.Value.ListTime,
                jobs => Task.FromResult<IReadOnlyList<TuningJob>>([.. jobs.Where(HasLabel)]),
                KeepAsync, cancellationToken);
            return pass switch
            {
                null => new JobLook.ClaimLost(),
                _ when pass.Proves(claim.CreatedAt) => await FinishAsync(pass),
                { IsGivenUp: true } => new JobLook.Endless(
                    $"Vertex AI's list of tuning jobs could not be read to its end in {pass.Restarts} tries: it does not "
                    + "take its own page tokens any more by the time they are used. A longer Tuning:ListTime reads more "
                    + "pages at once"),
                _ => new JobLook.Unfinished($"{Words(pass)} so far"),
            };
        }
        catch (Exception e) when (kept is { PageToken.Length: > 0 } && !cancellationToken.IsCancellationRequested)
        {
            // Some pages came, and they are kept: the failure costs the run no attempt.
            return new JobLook.Unfinished($"{Words(kept)} so far; then: {e.Message}");
        }

        bool HasLabel(TuningJob job) => job.Label(TuningLabels.Run) == label;

        async Task<bool> KeepAsync(ListingPass pass)
        {
            var json = (pass with { Attempt = attempt }).ToJson();
            if (!await db.SaveListingAsync(claim, json, options.Value.Lease, cancellationToken))
            {
                return false;
            }

            kept = pass;
            return true;
        }

        async Task<JobLook> FinishAsync(ListingPass pass) =>
            await db.SaveListingAsync(claim, listingJson: null, options.Value.Lease, cancellationToken)
                ? new JobLook.Whole(pass.Found, pass.StartedAt)
                : new JobLook.ClaimLost();
    }

    private static string Words(ListingPass pass) => FormattableString.Invariant(
        $"looking for a tuning job that the run has already: {pass.Jobs:N0} jobs of Vertex AI's list read");
}
