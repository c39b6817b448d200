using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;

namespace FeedbackLoop.Lineage.Forgetting;

/// <summary>When a run's files must stay as they are: a pure function of its rows.</summary>
internal static class ForgettingRule
{
    /// <returns>What has to end before the files of the run may change, for people; null when nothing has.</returns>
    public static string? WaitsFor(RunId run, string state, IEnumerable<TuningAttempt> attempts) =>
        (attempts.FirstOrDefault(attempt => attempt.IsOpen), state) switch
        {
            ({ State: AttemptState.Created } attempt, _) =>
                $"run {run}: tuning job {attempt.TuningJob} reads the file",
            ({ State: AttemptState.Unknown } attempt, RunState.NeedsOperator) =>
                $"run {run}: nobody knows whether attempt {attempt.Number} made a tuning job; the run needs an operator",
            ({ } attempt, _) => $"run {run}: attempt {attempt.Number} may make a tuning job of the file",
            (null, RunState.Creating) => $"run {run} is about to make its tuning job",
            (null, RunState.Evaluating) => $"run {run} asks its model about the held-out file",
            _ => null,
        };
}
