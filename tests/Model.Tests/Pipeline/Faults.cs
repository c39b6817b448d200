namespace FeedbackLoop.Model.Pipeline;

/// <summary>
/// What was wrong once, or what a promise leans on. Each is put into the model by itself, and must be found.
/// </summary>
[Flags]
internal enum Faults
{
    None = 0,

    /// <summary>
    /// The relay takes the first messages by id, those of a missing topic among them, and gets no further.
    /// </summary>
    OutboxInIdOrder = 1,

    /// <summary>A slow topic takes all the time of the sweep: none of its other parts is reached.</summary>
    RelayTakesTheSweep = 2,

    /// <summary>
    /// The files of all claims of a run have the same names, and a worker that meets other content deletes it.
    /// </summary>
    ExportNamesWithoutEpoch = 4,

    /// <summary>Overdue runs are ended one after the other, and the first that cannot be read ends the part.</summary>
    OverdueStopsAtFirstFailure = 8,

    /// <summary>Vertex AI is asked before an overdue run is ended.</summary>
    OverdueAsksFirst = 16,

    /// <summary>The list before a call has to end in one delivery.</summary>
    ListEndsInOneDelivery = 32,

    /// <summary>A part of the list without the job counts as there being none.</summary>
    PartOfTheListIsProof = 64,

    /// <summary>Leftover files are looked for without a look at who is still writing.</summary>
    CleanupForgetsLiveWorkers = 128,

    /// <summary>A token lives for ever, and a worker that slept sends all the same.</summary>
    NoTokenFence = 256,

    /// <summary>An unanswered attempt keeps its dataset object.</summary>
    NoDatasetFence = 512,

    /// <summary>An unanswered call is concluded absent without its quiet time.</summary>
    NoQuietTime = 1024,

    /// <summary>Vertex AI may carry a call out later than the quiet time.</summary>
    CallsLandAfterQuietTime = 2048,
}
