namespace FeedbackLoop.Model.Pipeline;

// ExportStep, TrainStep with TuningCall, and PollTuningStep.
internal sealed partial class PipelineModel
{
    private void AddClaims(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        if (Is(state, RunMarks.LeaseRuns | RunMarks.Waits) || !HasPlace(state))
        {
            return;
        }

        switch (state.Run)
        {
            case RunStep.Requested or RunStep.Exporting:
                AddClaim(state, Phase.ExportClaimed, RunStep.Exporting, Act.ClaimExport, next);
                break;
            case RunStep.Exported or RunStep.CreateUnknown when MayTrain(state):
                AddClaim(state, Phase.TrainClaimed, state.Run, Act.ClaimTrain, next);
                break;
            case RunStep.Tuning or RunStep.Evaluating or RunStep.Cancelling:
                AddClaim(state, Phase.PollClaimed, state.Run, Act.ClaimPoll, next);
                break;
        }
    }

    private static bool MayTrain(in PipelineState state) =>
        !state.First.IsOpen && !state.Second.IsOpen
        && (state.Run == RunStep.Exported || state.First.Step == AttemptStep.Absent
            || state.Second.Step == AttemptStep.Absent);

    private bool HasPlace(in PipelineState state) =>
        state.Two.Phase == Phase.None && (bounds.Workers > 1 || state.One.Phase == Phase.None);

    private void AddClaim(
        in PipelineState state, Phase phase, RunStep to, Act act, List<(byte Action, PipelineState State)> next)
    {
        var after = state;
        NewEpoch(ref after);
        if (state.Run != to)
        {
            after.Run = to;
            after.Marks &= ~RunMarks.Overdue;
            after.Tries = 0;
        }

        after.Marks |= RunMarks.LeaseRuns;
        after.Two = new Worker { Phase = phase, Marks = WorkerMarks.Current };
        if (phase == Phase.TrainClaimed && _decisions.HasNewFile(state.First.Step, isLastRejected: false))
        {
            after.Two.Marks |= WorkerMarks.OnSecond;
        }

        if (phase != Phase.PollClaimed)
        {
            after.Tries++;
        }

        if (after.Tries > bounds.MaxTries)
        {
            var isForList = after.TriesLostToList == bounds.MaxTries;
            if (!Move(ref after, RunStep.Failed))
            {
                throw new InvalidOperationException($"the database keeps a run from failing: {Describe(after)}");
            }

            Set(ref after, RunMarks.FailedForList, isForList);
        }

        if (RunSteps.IsFinal(after.Run))
        {
            after.Two = default;
        }

        // Due polls are the sweep's own; every other step waits for its message.
        var isSweeps = phase == Phase.PollClaimed && state.Run != RunStep.Evaluating && !Has(Faults.RelayTakesTheSweep);
        var comes = !bounds.HasOutbox || state.Message == Message.Published || isSweeps;
        if (state.Message == Message.Published)
        {
            after.Message = Message.None;
        }

        Add(next, comes ? act : Act.ClaimByOldMessage, after);
    }

    private void AddWorker(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        if (worker.Phase == Phase.None)
        {
            return;
        }

        AddEndOf(state, worker, isOne, next);
        switch (worker.Phase)
        {
            case Phase.ExportClaimed or Phase.ExportRead or Phase.ExportStored:
                AddExport(state, worker, isOne, next);
                break;
            case Phase.PollClaimed:
                AddPoll(state, worker, isOne, next);
                break;
            default:
                AddTrain(state, worker, isOne, next);
                break;
        }
    }

    private static ref Worker Of(ref PipelineState state, bool isOne) => ref isOne ? ref state.One : ref state.Two;

    private static PipelineState Without(in PipelineState state, bool isOne)
    {
        var after = state;
        Of(ref after, isOne) = default;
        return after;
    }

    // A step that a worker takes without its claim owes nothing.
    private static Act Owed(in Worker worker, Act act) => worker.Is(WorkerMarks.Current) ? act : Act.StaleStep;

    private static void AddEndOf(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next) =>
        Add(next, worker.Is(WorkerMarks.Current) ? Act.WorkerDies : Act.StaleWorkerEnds, Gone(state, worker, isOne));

    // A write that names an epoch or a state which is over changes nothing, and its worker ends.
    private static void AddMiss(
        in PipelineState state, in Worker worker, bool isOne, Act act, List<(byte Action, PipelineState State)> next) =>
        Add(next, Owed(worker, act), Gone(state, worker, isOne));

    private static PipelineState Gone(in PipelineState state, in Worker worker, bool isOne)
    {
        var after = Without(state, isOne);
        if (worker.Phase == Phase.ExportStored && !worker.Is(WorkerMarks.ObjectDeleted))
        {
            after.Marks |= RunMarks.Leftover;
        }

        return after;
    }

    private static void To(
        in PipelineState state, bool isOne, Phase phase, Act act, List<(byte Action, PipelineState State)> next,
        WorkerMarks marks = WorkerMarks.None)
    {
        var after = state;
        ref var worker = ref Of(ref after, isOne);
        var owed = Owed(worker, act);
        worker.Phase = phase;
        worker.Marks |= marks;
        Add(next, owed, after);
    }
}
