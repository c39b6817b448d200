namespace FeedbackLoop.Model.Pipeline;

// TrainStep and TuningCall: an intent, a look at the list, one call, and the record of its answer.
internal sealed partial class PipelineModel
{
    private void AddTrain(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        switch (worker.Phase)
        {
            case Phase.TrainClaimed:
                AddCopy(state, worker, isOne, next);
                break;
            case Phase.TrainCopied:
                AddIntent(state, worker, isOne, next);
                break;
            case Phase.TrainIntended:
                AddLookForJob(state, worker, isOne, next);
                AddAbandon(state, worker, isOne, Act.Abandon, next);
                AddSleep(state, worker, isOne, next);
                break;
            case Phase.TrainListed:
                AddLastLook(state, worker, isOne, next);
                AddSleep(state, worker, isOne, next);
                break;
            case Phase.TrainChecked:
                AddSend(state, worker, isOne, next);
                AddSleep(state, worker, isOne, next);
                break;
            case Phase.TrainSent:
                AddRecordedAnswer(state, worker, isOne, next);
                break;
        }
    }

    private static ref Attempt AttemptOf(ref PipelineState state, in Worker worker) =>
        ref worker.Is(WorkerMarks.OnSecond) ? ref state.Second : ref state.First;

    private static bool Holds(in PipelineState state, in Worker worker, RunStep step) =>
        worker.Is(WorkerMarks.Current) && state.Run == step;

    private static bool HoldsStartable(in PipelineState state, in Worker worker) =>
        Holds(state, worker, RunStep.Exported) || Holds(state, worker, RunStep.CreateUnknown);

    private void AddCopy(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        if (bounds.HasApproval && Holds(state, worker, RunStep.Exported) && !Is(state, RunMarks.Approved))
        {
            var asking = Without(state, isOne);
            if (Move(ref asking, RunStep.AwaitingApproval))
            {
                Add(next, Act.AsksApproval, asking);
            }
        }

        // A list that is longer than a delivery goes on in the next one, by a token on the run's row.
        if (!Has(Faults.ListEndsInOneDelivery) && state.PagesRead < bounds.Pages - 1)
        {
            if (HoldsStartable(state, worker))
            {
                var after = Without(state, isOne);
                after.PagesRead++;
                after.Tries = 0;
                after.Marks &= ~RunMarks.LeaseRuns;
                AddMessage(ref after);
                Add(next, Act.ReadPage, after);
            }

            return;
        }

        // Also a worker that has lost its claim copies, and notices then.
        var copied = state;
        if (AttemptOf(ref copied, worker) is { Step: not (AttemptStep.Created or AttemptStep.Closed) })
        {
            AttemptOf(ref copied, worker).Marks |= AttemptMarks.HasFile;
        }

        if (HoldsStartable(state, worker) && Is(state, RunMarks.LeaseRuns))
        {
            Of(ref copied, isOne).Phase = Phase.TrainCopied;
        }
        else
        {
            Of(ref copied, isOne) = default;
        }

        Add(next, Owed(worker, Act.CopyFile), copied);
    }

    private void AddIntent(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        if (!HoldsStartable(state, worker) || !Is(state, RunMarks.LeaseRuns))
        {
            AddMiss(state, worker, isOne, Act.RecordIntent, next);
            return;
        }

        var skipped = Without(state, isOne);
        if (Move(ref skipped, RunStep.Skipped))
        {
            Add(next, Act.SpendingRefuses, skipped);
        }

        var after = state;
        ref var attempt = ref AttemptOf(ref after, worker);
        var made = state.HealableRefusals + state.OtherRefusals
            + (state.First.Step == AttemptStep.None ? 0 : 1) + (state.Second.Step == AttemptStep.None ? 0 : 1);
        if (made >= bounds.LastAttempt)
        {
            after = Without(state, isOne);
            if (Move(ref after, RunStep.Failed))
            {
                Add(next, Act.RecordIntent, after);
            }

            return;
        }

        // The trigger refuses the object of an attempt that nobody has settled.
        if (attempt.Step != AttemptStep.None || !MayMove(state, RunStep.Creating))
        {
            return;
        }

        attempt.Step = AttemptStep.Sending;
        after.Run = RunStep.Creating;
        after.Marks |= RunMarks.LeaseRuns;
        after.PagesRead = 0;
        Of(ref after, isOne).Phase = Phase.TrainIntended;
        Add(next, Act.RecordIntent, after);
    }

    private void AddLookForJob(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        if (Has(Faults.ListEndsInOneDelivery) && bounds.Pages > 1)
        {
            AddAbandon(state, worker, isOne, Act.ListTooLong, next);
            return;
        }

        var found = ListedJob(state) is var job and not 0 ? Decisions.Find(state, job) : 0;
        if (found == 0 || Has(Faults.PartOfTheListIsProof))
        {
            To(state, isOne, Phase.TrainListed, Act.LookForJob, next);
        }

        if (found == 0)
        {
            return;
        }

        var after = Without(state, isOne);
        RecordJob(ref after, worker.Is(WorkerMarks.OnSecond), jobOfSecond: found == 2);
        Add(next, Owed(worker, Act.LookForJob), after);
    }

    private static void AddSleep(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        if (!worker.Is(WorkerMarks.Slept))
        {
            var after = state;
            Of(ref after, isOne).Marks |= WorkerMarks.Slept;
            Add(next, Act.SleepAfterIntent, after);
        }
    }

    // MarkRejectedAsync and ReturnToExportedAsync: surely not sent.
    private static void AddAbandon(
        in PipelineState state, in Worker worker, bool isOne, Act act, List<(byte Action, PipelineState State)> next)
    {
        var after = Without(state, isOne);
        if (Reject(ref after, worker, call: Call.NotSent) && Holds(state, worker, RunStep.Creating))
        {
            after.Run = RunStep.Exported;
            after.Marks &= ~RunMarks.LeaseRuns;
            if (act == Act.ListTooLong)
            {
                after.TriesLostToList++;
            }
        }

        Add(next, Owed(worker, act), after);
    }

    private static bool Reject(ref PipelineState state, in Worker worker, Call call)
    {
        ref var attempt = ref AttemptOf(ref state, worker);
        if (attempt.Step != AttemptStep.Sending)
        {
            return false;
        }

        // After a refusal nothing can land, and the object serves again.
        attempt = new Attempt { Marks = attempt.Marks & AttemptMarks.HasFile };
        if (call == Call.RefusedForNow)
        {
            state.HealableRefusals++;
        }
        else
        {
            state.OtherRefusals++;
        }

        return true;
    }

    private static void AddLastLook(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        var isRight = Holds(state, worker, RunStep.Creating) && Is(state, RunMarks.LeaseRuns)
            && !worker.Is(WorkerMarks.Slept);
        if (isRight)
        {
            To(state, isOne, Phase.TrainChecked, Act.LastLook, next);
        }
        else
        {
            AddAbandon(state, worker, isOne, Act.LastLook, next);
        }
    }

    private void AddSend(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        // A worker that slept may still be in time, or find that its token has run out.
        var isLate = worker.Is(WorkerMarks.Slept) && !Has(Faults.NoTokenFence);
        AddSent(state, worker, isOne, isLate ? Call.RefusedForNow : Call.OnItsWay, next);
        AddSent(state, worker, isOne, Call.NotSent, next);
    }

    private static void AddSent(
        in PipelineState state, in Worker worker, bool isOne, Call call, List<(byte Action, PipelineState State)> next)
    {
        var after = state;
        ref var sender = ref Of(ref after, isOne);
        sender.Phase = Phase.TrainSent;
        sender.Marks &= ~WorkerMarks.Slept;
        AttemptOf(ref after, worker).Call = call;
        Add(next, Owed(worker, Act.Send), after);
    }

    private void AddRecordedAnswer(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        var before = state;
        var call = AttemptOf(ref before, worker).Call;
        switch (call)
        {
            case Call.CarriedOut:
                var created = Without(state, isOne);
                RecordJob(ref created, worker.Is(WorkerMarks.OnSecond), jobOfSecond: worker.Is(WorkerMarks.OnSecond));
                Add(next, Owed(worker, Act.RecordAnswer), created);
                AddUnknown(state, worker, isOne, Act.AnswerLost, next);
                break;
            case Call.OnItsWay or Call.Lost or Call.None:
                AddUnknown(state, worker, isOne, Act.RecordAnswer, next);
                break;
            default:
                AddRecordedRefusal(state, worker, isOne, call, next);
                break;
        }
    }

    private static void AddUnknown(
        in PipelineState state, in Worker worker, bool isOne, Act act, List<(byte Action, PipelineState State)> next)
    {
        var after = Without(state, isOne);
        MarkUnknown(ref after, worker.Is(WorkerMarks.OnSecond));
        Add(next, Owed(worker, act), after);
    }

    private static void MarkUnknown(ref PipelineState state, bool onSecond)
    {
        ref var attempt = ref onSecond ? ref state.Second : ref state.First;
        if (attempt.Step == AttemptStep.Sending)
        {
            attempt.Step = AttemptStep.Unknown;
            attempt.Marks &= ~AttemptMarks.Stale;
        }

        if (state.Run == RunStep.Creating)
        {
            state.Run = RunStep.CreateUnknown;
            state.Marks &= ~RunMarks.LeaseRuns;
            state.Tries = 0;
        }
    }

    private void AddRecordedRefusal(
        in PipelineState state, in Worker worker, bool isOne, Call call, List<(byte Action, PipelineState State)> next)
    {
        var after = Without(state, isOne);
        if (Reject(ref after, worker, call) && Holds(state, worker, RunStep.Creating))
        {
            if (_decisions.Fails(call, state.HealableRefusals, state.OtherRefusals, Is(state, RunMarks.Overdue)))
            {
                Move(ref after, RunStep.Failed);
            }
            else
            {
                after.Run = RunStep.Exported;
                after.Marks = (after.Marks | RunMarks.Waits) & ~RunMarks.LeaseRuns;
                after.Tries = 0;
            }
        }

        Add(next, Owed(worker, Act.RecordAnswer), after);
    }
}
