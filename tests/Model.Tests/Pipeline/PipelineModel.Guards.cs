namespace FeedbackLoop.Model.Pipeline;

// What the model takes the triggers, checks and indexes of ml.training_runs and ml.tuning_attempts to allow.
internal sealed partial class PipelineModel
{
    public static bool DatabaseAllows(in PipelineState state, RunStep to) =>
        MayMove(state, to) && HasDatasetFor(state, to);

    /// <summary>What run_guard and the table of steps allow.</summary>
    private static bool MayMove(in PipelineState state, RunStep to) =>
        RunSteps.IsAllowed(state.Run, to)
        && (to != RunStep.Tuning || state.First.Step == AttemptStep.Created || state.Second.Step == AttemptStep.Created)
        && (!RunSteps.IsFinal(to) || (!state.First.IsOpen && !state.Second.IsOpen));

    // dataset_before_creating: also a run that was cancelled before it had a dataset cannot be left to a person.
    private static bool HasDatasetFor(in PipelineState state, RunStep to) =>
        state.Recorded != 0
        || to is RunStep.Requested or RunStep.Exporting or RunStep.Skipped or RunStep.Failed or RunStep.Cancelling
            or RunStep.Cancelled;

    public static bool DatabaseAllows(in PipelineState state, bool onSecond, AttemptStep to)
    {
        ref readonly var attempt = ref onSecond ? ref state.Second : ref state.First;
        return (attempt.Step, to) switch
        {
            (AttemptStep.Sending, AttemptStep.Unknown or AttemptStep.Created) => true,
            (AttemptStep.Unknown, AttemptStep.Created or AttemptStep.Closed) => true,
            (AttemptStep.Unknown, AttemptStep.Absent) =>
                attempt.Is(AttemptMarks.Quiet) && IsProvenAbsent(state, attempt),
            _ => false,
        };
    }

    /// <param name="onSecond">Whether it names the second attempt's dataset object.</param>
    public static bool DatabaseAllowsIntent(in PipelineState state, bool onSecond)
    {
        ref readonly var owner = ref onSecond ? ref state.Second : ref state.First;
        return state.Run == RunStep.Creating
            && owner.Step is not (AttemptStep.Unknown or AttemptStep.Absent or AttemptStep.Closed)
            && !HoldsPlace(state.First) && !HoldsPlace(state.Second);
    }

    private static bool HoldsPlace(in Attempt attempt) =>
        attempt.Step is AttemptStep.Sending or AttemptStep.Unknown or AttemptStep.Created;

    // The rest of absent_is_proven, with the check that the same statement counts, and one_presumed_absent.
    private static bool IsProvenAbsent(in PipelineState state, in Attempt attempt) =>
        attempt.Is(AttemptMarks.Burned) && attempt.ListChecks + 1 >= 2
        && state.First.Step != AttemptStep.Absent && state.Second.Step != AttemptStep.Absent;
}
