namespace FeedbackLoop.Tuning;

/// <summary>What to do about an attempt without an answer, after some more of Vertex's list.</summary>
public abstract record Reconciliation
{
    private Reconciliation()
    {
    }

    public sealed record Adopt(TuningJob Job, TuningAttempt Intended) : Reconciliation;

    /// <summary>Nothing was found, and nothing is proven: the list is not read as far as it must be.</summary>
    public sealed record ReadOn : Reconciliation;

    /// <summary>A list that proves that it has no job counts, and is too early for more.</summary>
    public sealed record LookAgain : Reconciliation;

    /// <summary>The quiet time is over: what lands from now on shall find no data.</summary>
    public sealed record BurnDataset : Reconciliation;

    public sealed record ConcludeAbsent : Reconciliation;

    public sealed record AskOperator(string Reason) : Reconciliation;

    /// <param name="pass">
    /// The list so far. It proves something of the time at which it began: what has changed since then may have come
    /// after its first pages.
    /// </param>
    /// <param name="match">What the list has of the run.</param>
    /// <param name="runCreatedAt">No job of the run is older.</param>
    /// <param name="hasAbsentBefore">Whether this run has used its one conclusion that there was no job.</param>
    public static Reconciliation Decide(
        TuningAttempt attempt, JobMatch match, ListingPass pass, DateTimeOffset runCreatedAt, bool hasAbsentBefore)
    {
        switch (match)
        {
            case JobMatch.Found found:
                return new Adopt(found.Job, found.Intended);
            case JobMatch.Stranger stranger:
                return new AskOperator(
                    $"tuning job {stranger.Job.Name} has this run's label, but {stranger.Problem}");
            case JobMatch.None when !pass.Proves(runCreatedAt):
                return pass.IsGivenUp && attempt.IsQuietAt(pass.StartedAt)
                    ? new AskOperator(
                        $"Vertex AI's list of tuning jobs could not be read to its end in {pass.Restarts} tries, so "
                        + "nobody knows whether the call made a job")
                    : new ReadOn();
            case JobMatch.None when !attempt.IsQuietAt(pass.StartedAt):
                return new LookAgain();
            case JobMatch.None when attempt.DatasetDeletedAt is null:
                return new BurnDataset();

            // Two lists, of which this is at least the second.
            case JobMatch.None when !attempt.IsBurnedAt(pass.StartedAt) || attempt.ListChecks < 1
                || attempt.LastListedFrom >= pass.StartedAt:
                return new LookAgain();
            case JobMatch.None when hasAbsentBefore:
                return new AskOperator(
                    "a second call for a tuning job stayed without an answer; no third one is made without a person");
            case JobMatch.None:
                return new ConcludeAbsent();
            default:
                throw new InvalidOperationException($"unknown match {match}");
        }
    }
}
