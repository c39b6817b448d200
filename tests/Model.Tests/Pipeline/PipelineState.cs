using System.Runtime.InteropServices;

namespace FeedbackLoop.Model.Pipeline;

/// <summary>
/// A run, its attempts, workers, files and messages, Vertex AI's part of them, and another tenant, as far as one
/// decision of
/// the product depends on them. Compared by its bytes: unused ones are zero.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 1, Size = 32)]
internal struct PipelineState
{
    public RunStep Run;
    public RunMarks Marks;
    public RunStep EndsAs;

    /// <summary>Claims of the present state, as <c>step_attempts</c> counts them.</summary>
    public byte Tries;

    /// <summary>Of these, those that ended because Vertex AI's list was longer than a delivery.</summary>
    public byte TriesLostToList;

    public Message Message;

    /// <summary>Attempts that were refused with a code that time may heal.</summary>
    public byte HealableRefusals;

    /// <summary>Attempts that were refused for want of quota, or not sent.</summary>
    public byte OtherRefusals;

    public Worker One;
    public Worker Two;

    /// <summary>
    /// The attempts that are not rejected: a run has at most two, because a second one without an answer ends them.
    /// </summary>
    public Attempt First;

    public Attempt Second;
    public Listing Listing;

    /// <summary>Pages of Vertex AI's list that this run's deliveries have read.</summary>
    public byte PagesRead;

    /// <summary>What <c>ml.datasets</c> says is in the run's object; 0 without a dataset.</summary>
    public byte Recorded;

    /// <summary>What is in the object that <c>ml.datasets</c> names; 0 when there is no such object.</summary>
    public byte Stored;

    public Neighbour Neighbour;
}

[Flags]
internal enum RunMarks : ushort
{
    None = 0,
    LeaseRuns = 1,

    /// <summary><c>not_before</c> has not come.</summary>
    Waits = 2,
    Overdue = 4,
    Approved = 8,

    /// <summary>Its model has its endpoint in the registry.</summary>
    Registered = 16,

    /// <summary>Vertex AI answers PermissionDenied to each look at its job, for ever.</summary>
    Unreadable = 32,

    /// <summary>The product's data is not what it was when the run began.</summary>
    DataChanged = 64,

    /// <summary>An export's object that no row names waits for the sweep.</summary>
    Leftover = 128,

    /// <summary>Every try of the create step ended because Vertex AI's list was too long.</summary>
    FailedForList = 256,
}

/// <summary>The run's latest message.</summary>
internal enum Message : byte
{
    None,
    InOutbox,
    Published,
}

/// <summary>Where a worker stands between two atomic steps.</summary>
internal enum Phase : byte
{
    None,
    ExportClaimed,
    ExportRead,
    ExportStored,
    TrainClaimed,
    TrainCopied,
    TrainIntended,
    TrainListed,
    TrainChecked,
    TrainSent,
    PollClaimed,
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct Worker
{
    public Phase Phase;
    public WorkerMarks Marks;

    public readonly bool Is(WorkerMarks mark) => (Marks & mark) != 0;
}

[Flags]
internal enum WorkerMarks : byte
{
    None = 0,

    /// <summary>Its epoch is the run's. Epochs are compared for equality only, so their numbers are left out.</summary>
    Current = 1,

    /// <summary>More than thirty seconds have passed since its intent: its token may have run out too.</summary>
    Slept = 2,

    /// <summary>Its attempt is <see cref="PipelineState.Second"/>.</summary>
    OnSecond = 4,

    /// <summary>It read the data after they had changed.</summary>
    ReadChanged = 8,

    /// <summary>Somebody has deleted the object that it stored.</summary>
    ObjectDeleted = 16,
}

internal enum AttemptStep : byte
{
    None,
    Sending,
    Unknown,
    Absent,
    Created,
    Closed,
}

/// <summary>Where the one call of an attempt is.</summary>
internal enum Call : byte
{
    None,
    OnItsWay,

    /// <summary>Carried out: there is a job.</summary>
    CarriedOut,

    /// <summary>Never to be carried out, and nobody is told.</summary>
    Lost,
    NotSent,
    RefusedForQuota,
    RefusedForNow,
    RefusedForGood,
}

internal enum Job : byte
{
    None,
    Live,
    Succeeded,
    Failed,

    /// <summary>Found no data to tune with: it has failed and costs nothing.</summary>
    WithoutData,
}

[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct Attempt
{
    public AttemptStep Step;
    public AttemptMarks Marks;
    public byte ListChecks;
    public Call Call;
    public Job Job;

    public readonly bool IsOpen =>
        Step is AttemptStep.Sending or AttemptStep.Unknown || (Step == AttemptStep.Created && !Is(AttemptMarks.JobEnded));

    public readonly bool Is(AttemptMarks mark) => (Marks & mark) != 0;
}

[Flags]
internal enum AttemptMarks : byte
{
    None = 0,

    /// <summary>Sent longer ago than a lease lasts.</summary>
    Stale = 1,

    /// <summary>The quiet time is over.</summary>
    Quiet = 2,

    /// <summary>Its dataset object was deleted, as its row says.</summary>
    Deleted = 4,

    /// <summary>And that was a minute ago.</summary>
    Burned = 8,

    /// <summary>Its dataset object is in the bucket.</summary>
    HasFile = 16,

    /// <summary><c>job_ended_at</c> is set.</summary>
    JobEnded = 32,

    /// <summary>The job that its row names was made for the other attempt.</summary>
    HasOthersJob = 64,

    /// <summary>Its job is not in Vertex AI's list yet.</summary>
    Hidden = 128,
}

/// <summary>
/// A pass of the sweep over Vertex AI's list, with what it read of the unanswered attempt before it began.
/// </summary>
[Flags]
internal enum Listing : byte
{
    None = 0,
    Runs = 1,
    OfSecond = 2,
    WasQuiet = 4,
    WasDeleted = 8,
    WasBurned = 16,
    WasCheckedBefore = 32,

    /// <summary>The run's job was listed when the pass began.</summary>
    HadJob = 64,
}

/// <summary>
/// A run of another organization, which never gets on by itself: Vertex AI does not let it be read, its topic is gone.
/// </summary>
internal enum Neighbour : byte
{
    /// <summary>Left out of this search.</summary>
    None,
    TuningOverdue,
    Cancelling,
    CancellingOverdue,
    NeedsOperator,
}
