using FeedbackLoop.Model.Checking;

namespace FeedbackLoop.Model.Pipeline;

/// <summary>
/// One run from its request to its end, with everything that can come between: workers that sleep or die between any
/// two of
/// their atomic steps, the sweep's parts at any time, Vertex AI's answers and silences, people, and another tenant.
/// </summary>
/// <remarks>
/// The product's pure decisions are called (<see cref="Decisions"/>, <see cref="RunSteps"/>); its statements and
/// transactions
/// are written out here, one action each. <c>docs/promises.md</c> says what is left out, and why that is sound.
/// </remarks>
internal sealed partial class PipelineModel(Bounds bounds, Faults faults) : ITransitions<PipelineState>
{
    private const byte MostListChecks = 2;

    private readonly Decisions _decisions = new(bounds);

    public PipelineState Start => new()
    {
        Run = bounds.Start,
        Message = bounds.HasOutbox ? Message.InOutbox : Message.None,
        Recorded = bounds.Start == RunStep.Requested ? (byte)0 : (byte)1,
        Stored = bounds.Start == RunStep.Requested ? (byte)0 : (byte)1,
        Neighbour = bounds.HasNeighbour ? Neighbour.TuningOverdue : Neighbour.None,
    };

    public void AddNext(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        var first = next.Count;
        AddPeople(state, next);
        AddTime(state, next);
        AddVertex(state, next);
        AddMessages(state, next);
        AddClaims(state, next);
        AddWorker(state, state.One, isOne: true, next);
        AddWorker(state, state.Two, isOne: false, next);
        AddSweep(state, next);
        AddNeighbour(state, next);

        // What changes nothing is no step.
        for (var index = next.Count - 1; index >= first; index--)
        {
            if (StateSet<PipelineState>.IsSame(next[index].State, state))
            {
                next.RemoveAt(index);
            }
        }
    }

    public Fairness FairnessOf(byte action) => Acts.FairnessOf((Act)action);

    public string NameOf(byte action) => Acts.NameOf((Act)action);

    public string Describe(in PipelineState state)
    {
        var first = state.First;
        var second = state.Second;
        return $"run {RunSteps.NameOf(state.Run)} ({state.Marks}), message {state.Message}, "
            + $"attempts {first.Step}/{first.Call}/{first.Job} ({first.Marks}) and "
            + $"{second.Step}/{second.Call}/{second.Job} ({second.Marks}), dataset {state.Recorded} and its object "
            + $"{state.Stored}, workers {state.One.Phase} ({state.One.Marks}) and {state.Two.Phase} ({state.Two.Marks})"
            + (state.Neighbour == Neighbour.None ? "" : $", other tenant {state.Neighbour}");
    }

    public string? Broken(in PipelineState state)
    {
        if (Costs(state.First.Job) && Costs(state.Second.Job))
        {
            return Promises.OneBillableJob;
        }

        if (state.Recorded != 0 && state.Recorded != state.Stored)
        {
            return Promises.NamedObjectsExist;
        }

        return Is(state, RunMarks.FailedForList) ? Promises.NoRunFailsForTheList : null;
    }

    private static bool Costs(Job job) => job is Job.Live or Job.Succeeded or Job.Failed;

    private bool Has(Faults fault) => (faults & fault) != 0;

    // Two workers are alike: which of them is called one makes no difference. What nobody reads any more is forgotten.
    private static void Add(List<(byte Action, PipelineState State)> next, Act act, PipelineState after)
    {
        if (RunSteps.IsFinal(after.Run))
        {
            after.Marks &= ~(RunMarks.LeaseRuns | RunMarks.Waits | RunMarks.Overdue | RunMarks.Approved | RunMarks.Registered);
            after.EndsAs = RunStep.None;
            (after.Tries, after.TriesLostToList, after.PagesRead) = (0, 0, 0);
        }

        if (after.One.Phase == Phase.None)
        {
            after.One.Marks = WorkerMarks.None;
        }

        if (after.Two.Phase == Phase.None)
        {
            after.Two.Marks = WorkerMarks.None;
        }

        if ((((int)after.One.Phase << 8) | (int)after.One.Marks) < (((int)after.Two.Phase << 8) | (int)after.Two.Marks))
        {
            (after.One, after.Two) = (after.Two, after.One);
        }

        next.Add(((byte)act, after));
    }

    // ---- what the statements do

    private static bool Is(in PipelineState state, RunMarks mark) => (state.Marks & mark) != 0;

    private static void Set(ref PipelineState state, RunMarks mark, bool value) =>
        state.Marks = value ? state.Marks | mark : state.Marks & ~mark;

    /// <summary>Another epoch: whoever had the run writes nothing any more.</summary>
    private static void NewEpoch(ref PipelineState state)
    {
        state.One.Marks &= ~WorkerMarks.Current;
        state.Two.Marks &= ~WorkerMarks.Current;
    }

    private void AddMessage(ref PipelineState state)
    {
        if (bounds.HasOutbox)
        {
            state.Message = Message.InOutbox;
        }
    }

    /// <summary>MoveAsync: a new state, without lease, tries and the old deadline.</summary>
    /// <returns>False when the database refuses it.</returns>
    private static bool Move(ref PipelineState state, RunStep to)
    {
        if (!MayMove(state, to))
        {
            return false;
        }

        state.Run = to;
        state.Tries = 0;
        state.Marks &= ~(RunMarks.LeaseRuns | RunMarks.Overdue);
        return true;
    }

    /// <summary>MarkCancellingAsync.</summary>
    private bool MarkCancelling(ref PipelineState state, RunStep endsAs)
    {
        if (!MayMove(state, RunStep.Cancelling))
        {
            return false;
        }

        state.Run = RunStep.Cancelling;
        state.EndsAs = endsAs;
        state.Marks &= ~(RunMarks.LeaseRuns | RunMarks.Waits | RunMarks.Overdue);
        state.Tries = 0;
        NewEpoch(ref state);
        AddMessage(ref state);
        return true;
    }

    private static bool MarkNeedsOperator(ref PipelineState state)
    {
        if (!DatabaseAllows(state, RunStep.NeedsOperator))
        {
            return false;
        }

        state.Run = RunStep.NeedsOperator;
        state.Marks &= ~(RunMarks.LeaseRuns | RunMarks.Overdue | RunMarks.Waits);
        state.Tries = 0;
        NewEpoch(ref state);
        return true;
    }

    /// <summary>RecordJobAsync: the open attempt gets the job, and the run goes on to wait for it.</summary>
    private bool RecordJob(ref PipelineState state, bool onSecond, bool jobOfSecond)
    {
        ref var attempt = ref onSecond ? ref state.Second : ref state.First;
        if (attempt.Step is not (AttemptStep.Sending or AttemptStep.Unknown)
            || state.Run is not (RunStep.Creating or RunStep.CreateUnknown or RunStep.NeedsOperator or RunStep.Cancelling))
        {
            return false;
        }

        attempt.Step = AttemptStep.Created;
        attempt.ListChecks = 0;
        attempt.Marks &= AttemptMarks.Hidden;
        if (onSecond != jobOfSecond)
        {
            attempt.Marks |= AttemptMarks.HasOthersJob;
        }

        state.Marks &= ~RunMarks.LeaseRuns;
        state.Tries = 0;
        AddMessage(ref state);
        if (state.Run != RunStep.Cancelling)
        {
            state.Run = RunStep.Tuning;
            state.Marks &= ~(RunMarks.Overdue | RunMarks.Waits);
            if (state.EndsAs != RunStep.None)
            {
                MarkCancelling(ref state, state.EndsAs);
            }
        }

        return true;
    }

    /// <summary>The list that somebody reads now: of which attempt it holds a job.</summary>
    private static int ListedJob(in PipelineState state) =>
        state.First.Job != Job.None && !state.First.Is(AttemptMarks.Hidden) ? 1
        : state.Second.Job != Job.None && !state.Second.Is(AttemptMarks.Hidden) ? 2
        : 0;
}
