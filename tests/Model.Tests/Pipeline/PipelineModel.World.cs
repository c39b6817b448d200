namespace FeedbackLoop.Model.Pipeline;

// People, time, Vertex AI and the network.
internal sealed partial class PipelineModel
{
    private void AddPeople(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        if (!bounds.HasPeople)
        {
            return;
        }

        var cancelled = state;
        if (MarkCancelling(ref cancelled, RunStep.Cancelled))
        {
            Add(next, Act.Cancel, cancelled);
        }

        if (state.Run == RunStep.AwaitingApproval)
        {
            var approved = state;
            if (Move(ref approved, RunStep.Exported))
            {
                Set(ref approved, RunMarks.Approved, value: true);
                AddMessage(ref approved);
                Add(next, Act.Approve, approved);
            }
        }

        if (state.Run == RunStep.NeedsOperator)
        {
            var ended = state;
            Close(ref ended.First);
            Close(ref ended.Second);
            if (Move(ref ended, RunStep.Failed))
            {
                Add(next, Act.OperatorEnds, ended);
            }
        }
    }

    private static void Close(ref Attempt attempt)
    {
        if (attempt.Step == AttemptStep.Unknown)
        {
            attempt.Step = AttemptStep.Closed;
        }
    }

    private void AddTime(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        if (Is(state, RunMarks.LeaseRuns))
        {
            var after = state;
            after.Marks &= ~RunMarks.LeaseRuns;
            Add(next, Act.LeaseRunsOut, after);
        }

        if (Is(state, RunMarks.Waits))
        {
            var after = state;
            after.Marks &= ~RunMarks.Waits;
            Add(next, Act.WaitIsOver, after);
        }

        if (!Is(state, RunMarks.Overdue) && !RunSteps.IsFinal(state.Run) && state.Run != RunStep.NeedsOperator)
        {
            var after = state;
            after.Marks |= RunMarks.Overdue;
            Add(next, Act.DeadlinePasses, after);
        }

        AddTimeOfAttempt(state, onSecond: false, next);
        AddTimeOfAttempt(state, onSecond: true, next);
    }

    private void AddTimeOfAttempt(in PipelineState state, bool onSecond, List<(byte Action, PipelineState State)> next)
    {
        ref readonly var now = ref onSecond ? ref state.Second : ref state.First;
        if (now.Step == AttemptStep.Sending && !now.Is(AttemptMarks.Stale))
        {
            var after = state;
            (onSecond ? ref after.Second : ref after.First).Marks |= AttemptMarks.Stale;
            Sleep(ref after.One, onSecond);
            Sleep(ref after.Two, onSecond);
            Add(next, Act.AttemptGrowsStale, after);
        }

        // A call is carried out within its quiet time or never.
        if (now.Step == AttemptStep.Unknown && !now.Is(AttemptMarks.Quiet))
        {
            var after = state;
            ref var attempt = ref onSecond ? ref after.Second : ref after.First;
            attempt.Marks |= AttemptMarks.Quiet;
            if (attempt.Call == Call.OnItsWay && !Has(Faults.CallsLandAfterQuietTime))
            {
                attempt.Call = Call.Lost;
            }

            Add(next, Act.QuietTimeIsOver, after);
        }

        // What Vertex AI has made is in its list a minute later.
        if (now.Step == AttemptStep.Unknown && now.Is(AttemptMarks.Deleted) && !now.Is(AttemptMarks.Burned))
        {
            var after = state;
            ref var attempt = ref onSecond ? ref after.Second : ref after.First;
            attempt.Marks = (attempt.Marks | AttemptMarks.Burned) & ~AttemptMarks.Hidden;
            Add(next, Act.MinuteAfterBurning, after);
        }

        if (now.Job != Job.None && now.Is(AttemptMarks.Hidden))
        {
            var after = state;
            (onSecond ? ref after.Second : ref after.First).Marks &= ~AttemptMarks.Hidden;
            Add(next, Act.JobGetsListed, after);
        }
    }

    private static void Sleep(ref Worker worker, bool onSecond)
    {
        if (worker.Phase is Phase.TrainIntended or Phase.TrainListed or Phase.TrainChecked
            && worker.Is(WorkerMarks.OnSecond) == onSecond)
        {
            worker.Marks |= WorkerMarks.Slept;
        }
    }

    private void AddVertex(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        AddVertexOf(state, onSecond: false, next);
        AddVertexOf(state, onSecond: true, next);
        if (bounds.MayBeUnreadable && !Is(state, RunMarks.Unreadable)
            && (Costs(state.First.Job) || Costs(state.Second.Job)) && !RunSteps.IsFinal(state.Run))
        {
            var after = state;
            after.Marks |= RunMarks.Unreadable;
            Add(next, Act.JobUnreadable, after);
        }
    }

    private static void AddVertexOf(in PipelineState state, bool onSecond, List<(byte Action, PipelineState State)> next)
    {
        ref readonly var now = ref onSecond ? ref state.Second : ref state.First;
        if (now.Call == Call.OnItsWay)
        {
            AddAnswer(state, onSecond, Act.CallArrives, Call.CarriedOut, next);
            AddAnswer(state, onSecond, Act.CallIsLost, Call.Lost, next);
            AddAnswer(state, onSecond, Act.CallRefused, Call.RefusedForQuota, next);
            AddAnswer(state, onSecond, Act.CallRefused, Call.RefusedForNow, next);
            AddAnswer(state, onSecond, Act.CallRefused, Call.RefusedForGood, next);
        }

        if (now.Job == Job.Live)
        {
            AddEnd(state, onSecond, Job.Succeeded, next);
            AddEnd(state, onSecond, Job.Failed, next);
        }
    }

    private static void AddAnswer(
        in PipelineState state, bool onSecond, Act act, Call call, List<(byte Action, PipelineState State)> next)
    {
        var after = state;
        ref var attempt = ref onSecond ? ref after.Second : ref after.First;
        attempt.Call = call;
        if (call == Call.CarriedOut)
        {
            attempt.Job = attempt.Is(AttemptMarks.HasFile) ? Job.Live : Job.WithoutData;
            attempt.Marks |= AttemptMarks.Hidden;
        }

        Add(next, act, after);
    }

    private static void AddEnd(
        in PipelineState state, bool onSecond, Job job, List<(byte Action, PipelineState State)> next)
    {
        var after = state;
        (onSecond ? ref after.Second : ref after.First).Job = job;
        Add(next, Act.JobEnds, after);
    }

    private void AddMessages(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        // The other tenant's messages, for a topic that is gone, are older and never leave.
        if (state.Message == Message.InOutbox && !(Has(Faults.OutboxInIdOrder) && bounds.HasNeighbour))
        {
            var after = state;
            after.Message = Message.Published;
            Add(next, Act.Relay, after);
        }

        if (state.Message == Message.Published)
        {
            var after = state;
            after.Message = Message.None;
            Add(next, Act.MessageLost, after);
        }
    }
}
