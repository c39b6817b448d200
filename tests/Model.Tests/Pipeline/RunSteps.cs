using FeedbackLoop.Runs;

namespace FeedbackLoop.Model.Pipeline;

/// <summary>States of a run, in a byte.</summary>
internal enum RunStep : byte
{
    None,
    Requested,
    Exporting,
    Exported,
    AwaitingApproval,
    Creating,
    CreateUnknown,
    Tuning,
    Evaluating,
    Cancelling,
    NeedsOperator,
    Succeeded,
    Failed,
    Skipped,
    Cancelled,
}

/// <summary>Which steps a run may take: the product's own table.</summary>
internal static class RunSteps
{
    private static readonly string[] Names =
    [
        "", RunState.Requested, RunState.Exporting, RunState.Exported, RunState.AwaitingApproval, RunState.Creating,
        RunState.CreateUnknown, RunState.Tuning, RunState.Evaluating, RunState.Cancelling, RunState.NeedsOperator,
        RunState.Succeeded, RunState.Failed, RunState.Skipped, RunState.Cancelled,
    ];

    private static readonly bool[,] Allowed = ReadAllowed();
    private static readonly bool[] Final = [.. Names.Select(name => name.Length > 0 && RunTransitions.IsFinal(name))];

    public static IEnumerable<RunStep> All => Enum.GetValues<RunStep>().Where(step => step != RunStep.None);

    public static string NameOf(RunStep step) => Names[(int)step];

    public static bool IsAllowed(RunStep from, RunStep to) => Allowed[(int)from, (int)to];

    public static bool IsFinal(RunStep step) => Final[(int)step];

    private static bool[,] ReadAllowed()
    {
        var allowed = new bool[Names.Length, Names.Length];
        for (var from = 1; from < Names.Length; from++)
        {
            for (var to = 1; to < Names.Length; to++)
            {
                allowed[from, to] = RunTransitions.IsAllowed(Names[from], Names[to]);
            }
        }

        return allowed;
    }
}
