using FeedbackLoop.Model.Pipeline;

namespace FeedbackLoop.Model;

/// <summary>The part of a state that the guards of the database look at.</summary>
internal sealed record Situation(
    RunStep Run, bool HasDataset, AttemptStep First, AttemptStep Second, bool FirstEnded, bool SecondEnded,
    AttemptMarks Proof, byte ListChecks)
{
    private const AttemptMarks Proofs = AttemptMarks.Quiet | AttemptMarks.Deleted | AttemptMarks.Burned;

    public static Situation Of(in PipelineState state)
    {
        var unknown = state.First.Step == AttemptStep.Unknown ? state.First : state.Second;
        return new Situation(
            state.Run, state.Recorded != 0, state.First.Step, state.Second.Step, state.First.Is(AttemptMarks.JobEnded),
            state.Second.Is(AttemptMarks.JobEnded), unknown.Marks & Proofs, unknown.ListChecks);
    }
}
