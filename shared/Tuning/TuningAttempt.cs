using FeedbackLoop.Runs;

namespace FeedbackLoop.Tuning;

/// <summary>States of an attempt, as <c>ml.tuning_attempts.state</c> holds them.</summary>
public static class AttemptState
{
    /// <summary>Recorded, and perhaps sent.</summary>
    public const string Sending = "sending";

    /// <summary>Sent or not, carried out or not: nobody knows.</summary>
    public const string Unknown = "unknown";

    /// <summary>Surely without a job.</summary>
    public const string Rejected = "rejected";

    /// <summary>Concluded to be without a job, once per run, after the quiet time.</summary>
    public const string Absent = "absent";

    /// <summary>Has a job.</summary>
    public const string Created = "created";

    /// <summary>Settled by a person.</summary>
    public const string Closed = "closed";
}

/// <summary>A row of <c>ml.tuning_attempts</c>: one intent, at most one call.</summary>
public sealed record TuningAttempt
{
    public required RunId RunId { get; init; }
    public required Guid OrganizationId { get; init; }

    /// <summary>1 for the first attempt of its run.</summary>
    public required int Number { get; init; }

    public required string State { get; init; }
    public required string VertexParent { get; init; }
    public required string RunLabel { get; init; }
    public required string DatasetUri { get; init; }
    public required long DatasetGeneration { get; init; }
    public required string BaseModel { get; init; }
    public RunId? ParentModelId { get; init; }
    public string? PreTunedModel { get; init; }
    public string? StatusCode { get; init; }
    public string? TuningJob { get; init; }
    public DateTimeOffset? JobEndedAt { get; init; }
    public DateTimeOffset? DatasetDeletedAt { get; init; }

    /// <summary>Passes over Vertex's list that did not find a job.</summary>
    public required int ListChecks { get; init; }

    /// <summary>Since it was sent, by the database's clock.</summary>
    public required TimeSpan Age { get; init; }

    /// <summary>Nobody concludes before this that there is no job.</summary>
    public required DateTimeOffset QuietUntil { get; init; }

    /// <summary>When the list began that counted last in <see cref="ListChecks"/>.</summary>
    public DateTimeOffset? LastListedFrom { get; init; }

    /// <summary>Whether a job may come of it or lives.</summary>
    public bool IsOpen =>
        State is AttemptState.Sending or AttemptState.Unknown || (State is AttemptState.Created && JobEndedAt is null);

    /// <summary>Whether the quiet time was over by then.</summary>
    public bool IsQuietAt(DateTimeOffset time) => QuietUntil <= time;

    /// <summary>Whether the dataset object had been gone for a minute by then.</summary>
    public bool IsBurnedAt(DateTimeOffset time) => DatasetDeletedAt <= time - TimeSpan.FromMinutes(1);
}

/// <summary>What is recorded before the call.</summary>
public sealed record TuningIntent(
    RunId RunId,
    Guid OrganizationId,
    int Number,
    string VertexParent,
    string RunLabel,
    string DatasetUri,
    long DatasetGeneration,
    TuningPlan Plan,
    decimal? EstimatedCostUsd,
    string RequestSha256,
    DateTimeOffset TokenExpiresAt)
{
    /// <summary>When the whole list of tuning jobs began that has no job of the run.</summary>
    public required DateTimeOffset ListedFrom { get; init; }
}

/// <summary>A call of which nobody knows, for too long, whether it made a job.</summary>
/// <param name="IsHopeless">So long that a person must settle it.</param>
public sealed record UnsettledCall(RunId RunId, int Attempt, DateTimeOffset SentAt, bool IsHopeless);
