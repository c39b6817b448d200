namespace FeedbackLoop.Model.Pipeline;

// PollTuningStep: one look at the job, and what follows from it.
internal sealed partial class PipelineModel
{
    private void AddPoll(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        // All but the job's end is written under the claim, and the job's end is what it is.
        if (!worker.Is(WorkerMarks.Current) || state.Run is not (RunStep.Tuning or RunStep.Evaluating or RunStep.Cancelling))
        {
            AddMiss(state, worker, isOne, Act.Look, next);
            return;
        }

        AddLook(Without(state, isOne), Act.Look, next);
    }

    /// <param name="state">Of a run that is claimed, without its worker.</param>
    private void AddLook(in PipelineState state, Act act, List<(byte Action, PipelineState State)> next)
    {
        if (state.Run == RunStep.Evaluating)
        {
            AddEvaluation(state, act, next);
            return;
        }

        var (attempt, onSecond) = LastOpenOrCreated(state);
        if (attempt.Step is AttemptStep.Sending or AttemptStep.Unknown)
        {
            AddWait(state, act, next);
            return;
        }

        if (attempt.Step == AttemptStep.None)
        {
            AddEndOfRun(state, act, next);
            return;
        }

        var job = attempt.Is(AttemptMarks.HasOthersJob) == onSecond ? state.First.Job : state.Second.Job;
        if (Is(state, RunMarks.Unreadable))
        {
            AddWait(state, act, next);
            return;
        }

        if (job == Job.Live)
        {
            if (state.Run == RunStep.Tuning && Is(state, RunMarks.Overdue))
            {
                var cancelling = state;
                MarkCancelling(ref cancelling, RunStep.Failed);
                Add(next, act, cancelling);
            }
            else
            {
                AddWait(state, act, next);
            }

            return;
        }

        var ended = state;
        (onSecond ? ref ended.Second : ref ended.First).Marks |= AttemptMarks.JobEnded;
        if (job == Job.Succeeded && state.Run == RunStep.Tuning)
        {
            if (Move(ref ended, RunStep.Evaluating))
            {
                AddMessage(ref ended);
                Add(next, act, ended);
            }

            return;
        }

        Add(next, Act.JobEndRecordedOnly, ended);
        AddEndOfRun(ended, act, next);
    }

    private static (Attempt Attempt, bool OnSecond) LastOpenOrCreated(in PipelineState state) =>
        state.Second.IsOpen || state.Second.Step == AttemptStep.Created ? (state.Second, true)
        : state.First.IsOpen || state.First.Step == AttemptStep.Created ? (state.First, false)
        : (default, false);

    private static void AddWait(in PipelineState state, Act act, List<(byte Action, PipelineState State)> next)
    {
        var after = state;
        after.Marks &= ~RunMarks.LeaseRuns;
        Add(next, act, after);
    }

    private static void AddEndOfRun(in PipelineState state, Act act, List<(byte Action, PipelineState State)> next)
    {
        var after = state;
        if (Move(ref after, state.EndsAs == RunStep.None ? RunStep.Failed : state.EndsAs))
        {
            Add(next, act, after);
        }
    }

    private void AddEvaluation(in PipelineState state, Act act, List<(byte Action, PipelineState State)> next)
    {
        var registered = state;
        if (!Is(state, RunMarks.Registered))
        {
            if (Is(state, RunMarks.Unreadable))
            {
                AddWait(state, act, next);
                return;
            }

            registered.Marks |= RunMarks.Registered;
        }

        if (!Is(state, RunMarks.Overdue))
        {
            var waiting = registered;
            waiting.Marks = (waiting.Marks | RunMarks.Waits) & ~RunMarks.LeaseRuns;
            Add(next, Act.EvaluationWaits, waiting);
            var goingOn = registered;
            goingOn.Marks &= ~RunMarks.LeaseRuns;
            AddMessage(ref goingOn);
            Add(next, Act.EvaluationWaits, goingOn);
        }

        // At its deadline what was answered decides.
        if (Move(ref registered, RunStep.Succeeded))
        {
            Add(next, Is(state, RunMarks.Overdue) ? act : Act.EvaluationEnds, registered);
        }
    }
}
