using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Tuning;

/// <summary>Where a tuning job stands, as far as we act on it.</summary>
public enum TuningJobState
{
    /// <summary>Waiting, running, paused, or a state that this version does not know: look again later.</summary>
    Working,

    /// <summary>Asked to stop; it may still end in any other way.</summary>
    Cancelling,
    Succeeded,

    /// <summary>Ended with a model, though not with everything that was asked for.</summary>
    PartiallySucceeded,
    Failed,
    Cancelled,
    Expired,
}

/// <summary>Vertex's states to ours.</summary>
public static class TuningJobStates
{
    /// <summary>A number that this version has no name for counts as work going on: whoever sees it polls again.</summary>
    public static TuningJobState Of(JobState state) => state switch
    {
        JobState.Succeeded => TuningJobState.Succeeded,
        JobState.PartiallySucceeded => TuningJobState.PartiallySucceeded,
        JobState.Failed => TuningJobState.Failed,
        JobState.Cancelled => TuningJobState.Cancelled,
        JobState.Expired => TuningJobState.Expired,
        JobState.Cancelling => TuningJobState.Cancelling,
        _ => TuningJobState.Working,
    };
}

/// <summary>Labels of every tuning job that this system makes.</summary>
public static class TuningLabels
{
    public const string App = "app";
    public const string AppValue = "feedback-loop";
    public const string Environment = "env";
    public const string Run = "run";
    public const string Attempt = "attempt";
}

/// <summary>A tuning job, as Vertex AI tells of it.</summary>
public sealed record TuningJob
{
    /// <summary><c>projects/…/locations/…/tuningJobs/…</c>.</summary>
    public required string Name { get; init; }

    public required TuningJobState State { get; init; }

    /// <summary>Vertex's own word for the state.</summary>
    public required string StateText { get; init; }

    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Empty when the job goes on from a tuned model.</summary>
    public string BaseModel { get; init; } = "";

    public string? PreTunedModel { get; init; }
    public string TrainingDatasetUri { get; init; } = "";
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Vertex's message for a job that failed.</summary>
    public string? Error { get; init; }

    public string? Model { get; init; }
    public string? Endpoint { get; init; }

    /// <summary>JSON array of the checkpoints.</summary>
    public string CheckpointsJson { get; init; } = "[]";

    /// <summary>JSON object: examples, billable tokens, steps, dropped examples and why. There before the job ends.</summary>
    public string StatisticsJson { get; init; } = "{}";

    public bool IsTerminal => State is not (TuningJobState.Working or TuningJobState.Cancelling);

    /// <summary>Whether the job still spends money and can be stopped.</summary>
    public bool IsLive => State is TuningJobState.Working;

    public string? Label(string name) => Labels.GetValueOrDefault(name);

    /// <summary>Whether an installation of that name made the job.</summary>
    public bool BelongsTo(string environment) =>
        Label(TuningLabels.App) == TuningLabels.AppValue && Label(TuningLabels.Environment) == environment;
}
