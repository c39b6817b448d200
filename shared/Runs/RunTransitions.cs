namespace FeedbackLoop.Runs;

/// <summary>States of a training run, as <c>ml.training_runs.state</c> holds them.</summary>
public static class RunState
{
    public const string Requested = "requested";
    public const string Exporting = "exporting";
    public const string Exported = "exported";

    /// <summary>Rests until a person approves what its tuning is expected to cost; its files stay.</summary>
    public const string AwaitingApproval = "awaiting_approval";

    public const string Creating = "creating";
    public const string CreateUnknown = "create_unknown";
    public const string Tuning = "tuning";
    public const string Evaluating = "evaluating";
    public const string Cancelling = "cancelling";

    /// <summary>Rests until a person decides, and blocks its scope meanwhile.</summary>
    public const string NeedsOperator = "needs_operator";

    public const string Succeeded = "succeeded";
    public const string Failed = "failed";

    /// <summary>Refused for a reason that is nobody's fault, such as too little data; the reason has the numbers.</summary>
    public const string Skipped = "skipped";

    public const string Cancelled = "cancelled";
}

/// <summary>
/// Which steps a run may take. The database refuses every other one (<c>ml.run_may_move</c>); a test holds the two equal.
/// </summary>
public static class RunTransitions
{
    private static readonly Dictionary<string, string[]> Next = new()
    {
        [RunState.Requested] = [RunState.Exporting, RunState.Skipped, RunState.Failed, RunState.Cancelling],
        // Straight to its end goes only an export that leads to no training.
        [RunState.Exporting] =
            [RunState.Exported, RunState.Succeeded, RunState.Skipped, RunState.Failed, RunState.Cancelling],
        [RunState.Exported] =
            [RunState.Creating, RunState.AwaitingApproval, RunState.Skipped, RunState.Failed, RunState.Cancelling],
        [RunState.AwaitingApproval] = [RunState.Exported, RunState.Skipped, RunState.Cancelling],
        [RunState.Creating] =
            [RunState.Tuning, RunState.CreateUnknown, RunState.Exported, RunState.Failed, RunState.Cancelling],
        [RunState.CreateUnknown] =
        [
            RunState.Tuning, RunState.Creating, RunState.AwaitingApproval, RunState.NeedsOperator, RunState.Skipped,
            RunState.Failed, RunState.Cancelling,
        ],
        [RunState.Tuning] = [RunState.Evaluating, RunState.Failed, RunState.Cancelling],
        [RunState.Evaluating] = [RunState.Succeeded, RunState.Failed, RunState.Cancelling],
        [RunState.Cancelling] = [RunState.Cancelled, RunState.Failed, RunState.NeedsOperator],
        [RunState.NeedsOperator] = [RunState.Tuning, RunState.Failed, RunState.Cancelled],
        [RunState.Succeeded] = [],
        [RunState.Failed] = [],
        [RunState.Skipped] = [],
        [RunState.Cancelled] = [],
    };

    public static IReadOnlyCollection<string> All => Next.Keys;

    public static bool IsAllowed(string from, string to) => Next[from].Contains(to);

    /// <summary>Whether a run in this state is over; nothing leaves a final state.</summary>
    public static bool IsFinal(string state) => Next[state].Length == 0;
}
