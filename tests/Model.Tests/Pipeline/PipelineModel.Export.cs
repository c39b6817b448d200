namespace FeedbackLoop.Model.Pipeline;

// ExportStep and DatasetExporter: a snapshot, files, and the row that names them.
internal sealed partial class PipelineModel
{
    private const byte DataAtFirst = 1;
    private const byte DataChanged = 2;

    private void AddExport(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        switch (worker.Phase)
        {
            case Phase.ExportClaimed:
                To(
                    state, isOne, Phase.ExportRead, Act.ReadData, next,
                    Is(state, RunMarks.DataChanged) ? WorkerMarks.ReadChanged : WorkerMarks.None);
                break;
            case Phase.ExportRead:
                AddRefusal(state, worker, isOne, next);
                AddStore(state, worker, isOne, next);
                break;
            case Phase.ExportStored:
                AddRecord(state, worker, isOne, next);
                break;
        }

        // While somebody exports is when it matters.
        if (!Is(state, RunMarks.DataChanged) && (worker.Phase == Phase.ExportRead || worker.Phase == Phase.ExportStored))
        {
            var after = state;
            after.Marks |= RunMarks.DataChanged;
            Add(next, Act.DataChange, after);
        }
    }

    private static byte ContentOf(in Worker worker) => worker.Is(WorkerMarks.ReadChanged) ? DataChanged : DataAtFirst;

    private static void AddRefusal(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        var after = Without(state, isOne);
        if (worker.Is(WorkerMarks.Current) && state.Run == RunStep.Exporting && Move(ref after, RunStep.Skipped))
        {
            Add(next, Act.ExportRefuses, after);
        }
    }

    private void AddStore(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        // The name holds the claim's epoch: nobody else has ever written there.
        if (!Has(Faults.ExportNamesWithoutEpoch))
        {
            To(state, isOne, Phase.ExportStored, Act.StoreFiles, next);
            return;
        }

        var after = state;
        if (state.Stored == 0 || state.Stored == ContentOf(worker))
        {
            Of(ref after, isOne).Phase = Phase.ExportStored;
            after.Stored = ContentOf(worker);
        }
        else
        {
            after = Without(state, isOne);
            after.Stored = 0;
            if (worker.Is(WorkerMarks.Current) && state.Run == RunStep.Exporting)
            {
                after.Marks &= ~RunMarks.LeaseRuns;
            }
        }

        Add(next, Owed(worker, Act.StoreFiles), after);
    }

    private void AddRecord(
        in PipelineState state, in Worker worker, bool isOne, List<(byte Action, PipelineState State)> next)
    {
        if (!worker.Is(WorkerMarks.Current) || state.Run != RunStep.Exporting)
        {
            AddMiss(state, worker, isOne, Act.RecordExport, next);
            return;
        }

        var after = Without(state, isOne);
        if (!Move(ref after, RunStep.Exported))
        {
            return;
        }

        after.Recorded = ContentOf(worker);
        if (!Has(Faults.ExportNamesWithoutEpoch))
        {
            after.Stored = worker.Is(WorkerMarks.ObjectDeleted) ? (byte)0 : ContentOf(worker);
        }

        AddMessage(ref after);
        Add(next, Act.RecordExport, after);
    }
}
