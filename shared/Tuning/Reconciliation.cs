namespace FeedbackLoop.Tuning;

/// <summary>What to do about an attempt without an answer, after one more pass over Vertex's list.</summary>
public abstract record Reconciliation
{
    private Reconciliation()
    {
    }

    public sealed record Adopt(TuningJob Job, TuningAttempt Intended) : Reconciliation;

    public sealed record LookAgain : Reconciliation;

    /// <summary>The quiet time is over: what lands from now on shall find no data.</summary>
    public sealed record BurnDataset : Reconciliation;

    public sealed record ConcludeAbsent : Reconciliation;

    public sealed record AskOperator(string Reason) : Reconciliation;

    /// <param name="attempt">As it was read before the list: what it says of time holds for the whole list.</param>
    /// <param name="hasAbsentBefore">Whether this run has used its one conclusion that there was no job.</param>
    public static Reconciliation Decide(TuningAttempt attempt, JobMatch match, bool hasAbsentBefore) => match switch
    {
        JobMatch.Found found => new Adopt(found.Job, found.Intended),
        JobMatch.Stranger stranger => new AskOperator(
            $"tuning job {stranger.Job.Name} has this run's label, but {stranger.Problem}"),
        JobMatch.None when !attempt.IsQuiet => new LookAgain(),
        JobMatch.None when attempt.DatasetDeletedAt is null => new BurnDataset(),

        // Two passes, of which this is at least the second.
        JobMatch.None when !attempt.IsBurned || attempt.ListChecks < 1 => new LookAgain(),
        JobMatch.None when hasAbsentBefore => new AskOperator(
            "a second call for a tuning job stayed without an answer; no third one is made without a person"),
        JobMatch.None => new ConcludeAbsent(),
        _ => throw new InvalidOperationException($"unknown match {match}"),
    };
}
