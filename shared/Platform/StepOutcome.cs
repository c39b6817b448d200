namespace FeedbackLoop.Platform;

/// <summary>One step of the chain: load, decide, act, record, send.</summary>
/// <typeparam name="T">The message that starts it.</typeparam>
public interface IStep<in T>
{
    /// <summary>
    /// Must be right when its message comes twice, late, or after a crash on any line. Throws for what it cannot decide (the
    /// database is gone, a bug): the message is delivered again.
    /// </summary>
    Task<StepOutcome> RunAsync(T message, CancellationToken cancellationToken);
}

/// <summary>How a step ended; each of these acknowledges the message.</summary>
public abstract record StepOutcome
{
    private StepOutcome(string word) => Word = word;

    /// <summary>For metrics and spans.</summary>
    public string Word { get; }

    public sealed record Done(string What) : StepOutcome("done");

    /// <summary>An earlier delivery did it, or another worker is at it; not an error.</summary>
    public sealed record AlreadyDone(string Why) : StepOutcome("already_done");

    /// <summary>Ended on purpose with a reason that the run's row carries.</summary>
    public sealed record Skipped(string Reason) : StepOutcome("skipped");

    /// <summary>Can never succeed: kept in <c>ml.rejected_messages</c>, because no run can carry the reason.</summary>
    public sealed record Rejected(string Reason) : StepOutcome("rejected");
}
