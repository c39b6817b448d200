namespace FeedbackLoop.Model.Pipeline;

// SweepStep and its parts, in any order and at any time.
internal sealed partial class PipelineModel
{
    private void AddSweep(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        AddCleanup(state, next);
        if (Has(Faults.RelayTakesTheSweep) && bounds.HasNeighbour)
        {
            return;
        }

        AddWake(state, next);
        AddStale(state, next);
        AddListing(state, next);
        AddOverdue(state, next);
    }

    private static void AddWaking(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        var after = state;
        NewEpoch(ref after);
        after.Message = Message.InOutbox;
        Add(next, Act.Wake, after);
    }

    // WakeDueRunsAsync; without an outbox to follow there is nothing to bring back.
    private void AddWake(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        if (bounds.HasOutbox && !Is(state, RunMarks.LeaseRuns | RunMarks.Waits)
            && (state.Run is RunStep.Requested or RunStep.Exporting or RunStep.Exported or RunStep.Evaluating
                || (state.Run == RunStep.CreateUnknown && MayTrain(state))))
        {
            AddWaking(state, next);
        }
    }

    // MarkStaleUnknownAsync.
    private static void AddStale(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        if (Is(state, RunMarks.LeaseRuns))
        {
            return;
        }

        if (state.First.Step == AttemptStep.Sending && state.First.Is(AttemptMarks.Stale))
        {
            var after = state;
            MarkUnknown(ref after, onSecond: false);
            Add(next, Act.MarkStale, after);
        }

        if (state.Second.Step == AttemptStep.Sending && state.Second.Is(AttemptMarks.Stale))
        {
            var after = state;
            MarkUnknown(ref after, onSecond: true);
            Add(next, Act.MarkStale, after);
        }
    }

    // Rows before the list: what they say of time holds for all of it. However long the list is, it is read to its end.
    private void AddListing(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        if (state.Listing == Listing.None)
        {
            StartListing(state, onSecond: false, next);
            StartListing(state, onSecond: true, next);
            return;
        }

        var broken = state;
        broken.Listing = Listing.None;
        Add(next, Act.ListingEnds, broken);

        // What was listed at the start is met; what came since may be on a page that was read before.
        var listed = ListedJob(state);
        if (listed != 0)
        {
            AddSettled(state, listed, next);
        }

        if (listed == 0 || (state.Listing & Listing.HadJob) == 0 || Has(Faults.PartOfTheListIsProof))
        {
            AddSettled(state, listed: 0, next);
        }
    }

    private void StartListing(in PipelineState state, bool onSecond, List<(byte Action, PipelineState State)> next)
    {
        ref readonly var attempt = ref onSecond ? ref state.Second : ref state.First;
        if (attempt.Step != AttemptStep.Unknown)
        {
            return;
        }

        var after = state;
        after.Listing = Listing.Runs
            | (onSecond ? Listing.OfSecond : Listing.None)
            | (attempt.Is(AttemptMarks.Quiet) || Has(Faults.NoQuietTime) ? Listing.WasQuiet : Listing.None)
            | (attempt.Is(AttemptMarks.Deleted) ? Listing.WasDeleted : Listing.None)
            | (attempt.Is(AttemptMarks.Burned) ? Listing.WasBurned : Listing.None)
            | (attempt.ListChecks > 0 ? Listing.WasCheckedBefore : Listing.None)
            | (ListedJob(state) != 0 ? Listing.HadJob : Listing.None);
        Add(next, Act.StartListing, after);
    }

    // TuningReconciler.SettleAsync.
    private void AddSettled(in PipelineState state, int listed, List<(byte Action, PipelineState State)> next)
    {
        var onSecond = (state.Listing & Listing.OfSecond) != 0;
        var after = state;
        after.Listing = Listing.None;
        ref var attempt = ref onSecond ? ref after.Second : ref after.First;
        if (attempt.Step == AttemptStep.Unknown || listed != 0)
        {
            switch (_decisions.Settle(state, state.Listing, listed))
            {
                case Verdict.AdoptJobOfFirst:
                    RecordJob(ref after, onSecond, jobOfSecond: false);
                    break;
                case Verdict.AdoptJobOfSecond:
                    RecordJob(ref after, onSecond, jobOfSecond: true);
                    break;
                case Verdict.LookAgain:
                    CountCheck(ref attempt);
                    break;
                case Verdict.Burn:
                    Burn(ref attempt);
                    CountCheck(ref attempt);
                    break;
                case Verdict.ConcludeAbsent:
                    ConcludeAbsent(ref after, onSecond);
                    break;
                case Verdict.AskOperator:
                    CountCheck(ref attempt);
                    MarkNeedsOperator(ref after);
                    break;
            }
        }

        Add(next, Act.Settle, after);
    }

    private static void CountCheck(ref Attempt attempt)
    {
        if (attempt.Step == AttemptStep.Unknown)
        {
            attempt.ListChecks = Math.Min((byte)(attempt.ListChecks + 1), MostListChecks);
        }
    }

    private void Burn(ref Attempt attempt)
    {
        if (!Has(Faults.NoDatasetFence))
        {
            attempt.Marks &= ~AttemptMarks.HasFile;
        }

        if (attempt.Step == AttemptStep.Unknown)
        {
            attempt.Marks |= AttemptMarks.Deleted;
        }
    }

    // MarkAbsentAsync, absent_is_proven and one_presumed_absent; then the create step may try once more.
    private void ConcludeAbsent(ref PipelineState state, bool onSecond)
    {
        ref var attempt = ref onSecond ? ref state.Second : ref state.First;
        if (!Has(Faults.NoDatasetFence))
        {
            attempt.Marks &= ~AttemptMarks.HasFile;
        }

        var isQuiet = attempt.Is(AttemptMarks.Quiet) || Has(Faults.NoQuietTime);
        if (attempt.Step != AttemptStep.Unknown || !isQuiet || !IsProvenAbsent(state, attempt))
        {
            return;
        }

        attempt.Step = AttemptStep.Absent;
        attempt.ListChecks = 0;
        attempt.Marks &= AttemptMarks.HasFile | AttemptMarks.Hidden;
        AddMessage(ref state);
    }

    // RunSweep.EndOverdueAsync, each run on its own.
    private void AddOverdue(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        var isKept = Has(Faults.OverdueStopsAtFirstFailure)
            && state.Neighbour is Neighbour.TuningOverdue or Neighbour.Cancelling or Neighbour.CancellingOverdue;
        if (!Is(state, RunMarks.Overdue) || isKept)
        {
            return;
        }

        var after = state;
        switch (state.Run)
        {
            case RunStep.Requested or RunStep.Exporting or RunStep.Exported:
                Move(ref after, RunStep.Failed);
                break;
            case RunStep.AwaitingApproval:
                Move(ref after, RunStep.Skipped);
                break;
            case RunStep.Tuning when Is(state, RunMarks.Unreadable) && !Has(Faults.OverdueAsksFirst):
                MarkCancelling(ref after, RunStep.Failed);
                break;
            case RunStep.Evaluating when Is(state, RunMarks.Unreadable) && !Is(state, RunMarks.Registered):
                Move(ref after, RunStep.Failed);
                break;
            case RunStep.Tuning or RunStep.Evaluating when !Is(state, RunMarks.LeaseRuns | RunMarks.Waits):
                var claimed = state;
                NewEpoch(ref claimed);
                AddLook(claimed, Act.EndOverdue, next);
                return;
            case RunStep.Cancelling:
                MarkNeedsOperator(ref after);
                break;
            default:
                return;
        }

        Add(next, Act.EndOverdue, after);
    }

    // What no row names and nobody can record any more. An epoch that is over never comes back, so this cannot be too
    // early.
    private void AddCleanup(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        if (Is(state, RunMarks.Leftover))
        {
            var after = state;
            after.Marks &= ~RunMarks.Leftover;
            Add(next, Act.CleanupDeletes, after);
        }

        if (Has(Faults.CleanupForgetsLiveWorkers))
        {
            AddHasty(state, isOne: true, next);
            AddHasty(state, isOne: false, next);
        }
    }

    private static void AddHasty(in PipelineState state, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        var after = state;
        ref var worker = ref Of(ref after, isOne);
        if (worker.Phase == Phase.ExportStored)
        {
            worker.Marks |= WorkerMarks.ObjectDeleted;
            Add(next, Act.CleanupDeletes, after);
        }
    }

    // The other tenant's run, whose job cannot be read: overdue before Vertex AI is asked, and then a person's.
    private void AddNeighbour(in PipelineState state, List<(byte Action, PipelineState State)> next)
    {
        var isKept = Has(Faults.OverdueStopsAtFirstFailure) || Has(Faults.OverdueAsksFirst) || Has(Faults.RelayTakesTheSweep);
        var (act, to) = state.Neighbour switch
        {
            Neighbour.TuningOverdue when !isKept => (Act.EndNeighbour, Neighbour.Cancelling),
            Neighbour.Cancelling => (Act.NeighbourDeadline, Neighbour.CancellingOverdue),
            Neighbour.CancellingOverdue when !isKept => (Act.EndNeighbour, Neighbour.NeedsOperator),
            _ => (Act.EndNeighbour, state.Neighbour),
        };
        var after = state;
        after.Neighbour = to;
        Add(next, act, after);
    }
}
