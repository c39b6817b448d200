using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeedbackLoop.Runs;

/// <summary>Topics of the chain. A message's attribute <c>message</c> repeats the topic, so a receiver can tell.</summary>
public static class Topics
{
    public const string ExportRequested = "export-requested";
    public const string DatasetExported = "dataset-exported";
    public const string TuningStarted = "tuning-started";
    public const string TrainingFinished = "training-finished";
    public const string PollTick = "poll-tick";
    public const string ScheduleTick = "schedule-tick";
    public const string ExtractionRequested = "extraction-requested";

    /// <summary>Those that the outbox has messages for.</summary>
    public static IReadOnlyList<string> OfOutbox { get; } =
        [ExportRequested, DatasetExported, TuningStarted, TrainingFinished];

    /// <summary>Name of the attribute that repeats the topic.</summary>
    public const string Attribute = "message";
}

/// <summary>A message about one run.</summary>
public interface IRunMessage
{
    RunId RunId { get; }
}

/// <summary>A run waits for its export. Sent by whoever starts a run, received by ExportFunction.</summary>
public sealed record ExportRequested(RunId RunId) : IRunMessage;

/// <summary>A run's files are in Cloud Storage. Sent by ExportFunction, received by TrainFunction.</summary>
public sealed record DatasetExported(RunId RunId) : IRunMessage;

/// <summary>Look at a run's tuning job now. Sent by TrainFunction and by a cancellation, received by PollTuningFunction.</summary>
public sealed record TuningStarted(RunId RunId) : IRunMessage;

/// <summary>
/// A run has a model, in use or kept back. Sent by PollTuningFunction, received by ScheduleTickFunction: a general model that
/// is in use wakes the schedules of its organization's projects.
/// </summary>
public sealed record TrainingFinished(RunId RunId) : IRunMessage;

/// <summary>Look for everything that is due. Sent by Cloud Scheduler every five minutes, received by PollTuningFunction.</summary>
public sealed record PollTick;

/// <summary>Look for trainings that are due. Sent by Cloud Scheduler every hour, received by ScheduleTickFunction.</summary>
public sealed record ScheduleTick;

/// <summary>
/// A job of the product's <c>kb.object_extraction_jobs</c> waits. Sent by the product once the row is
/// committed, received by ExtractFunction.
/// </summary>
public sealed record ExtractionRequested(Guid JobId);

/// <summary>Messages on the wire: ids only, because the row is the truth. A newer sender's extra members are ignored.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ExportRequested))]
[JsonSerializable(typeof(DatasetExported))]
[JsonSerializable(typeof(TuningStarted))]
[JsonSerializable(typeof(TrainingFinished))]
[JsonSerializable(typeof(PollTick))]
[JsonSerializable(typeof(ScheduleTick))]
[JsonSerializable(typeof(ExtractionRequested))]
public sealed partial class MessageJson : JsonSerializerContext;
