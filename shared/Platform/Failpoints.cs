namespace FeedbackLoop.Platform;

/// <summary>Names of the moments right after a side effect, where a process may die.</summary>
public static class Failpoint
{
    public const string ExportClaimed = "export.claimed";
    public const string TrainFileStored = "export.train_file_stored";
    public const string MetadataStored = "export.metadata_stored";
    public const string ExportRecorded = "export.recorded";
    public const string TrainClaimed = "train.claimed";
    public const string AttemptFileCopied = "train.attempt_file_copied";
    public const string IntentRecorded = "train.intent_recorded";
    public const string JobCreated = "train.job_created";
    public const string JobRecorded = "train.job_recorded";
    public const string PollClaimed = "poll.claimed";
    public const string JobEndRecorded = "poll.job_end_recorded";
    public const string EvaluationAnswerStored = "poll.evaluation_answer_stored";
    public const string ModelRegistered = "poll.model_registered";
    public const string MessagePublished = "outbox.message_published";

    public static IReadOnlyList<string> All { get; } =
    [
        ExportClaimed, TrainFileStored, MetadataStored, ExportRecorded, TrainClaimed, AttemptFileCopied, IntentRecorded,
        JobCreated, JobRecorded, PollClaimed, JobEndRecorded, EvaluationAnswerStored, ModelRegistered, MessagePublished,
    ];
}

/// <summary>
/// Lets a test stop or delay a step at a <see cref="Failpoint"/>. In a deployment nobody registers a handler, and reaching
/// one costs a null check.
/// </summary>
public sealed class Failpoints
{
    /// <summary>Awaited at every failpoint with its name; throwing, or never returning, is the fault.</summary>
    public Func<string, Task>? Handler { get; set; }

    public Task ReachAsync(string name) => Handler?.Invoke(name) ?? Task.CompletedTask;
}
