using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling;

/// <summary>
/// The training of a general model that is on its way: a project's training that waits for it is tuned on top of the new model,
/// and not paid for twice. One that waits for its turn or for a person is not on its way.
/// </summary>
public static class GeneralTraining
{
    private static readonly string[] States =
    [
        RunState.Exporting, RunState.Exported, RunState.Creating, RunState.CreateUnknown, RunState.Tuning,
        RunState.Evaluating,
    ];

    public static bool IsOnItsWay(string state) => States.Contains(state);
}
