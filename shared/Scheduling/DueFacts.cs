using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling;

/// <summary>A run of a schedule's scope, as far as a decision needs it.</summary>
/// <param name="EndedAt">Null while it is not over.</param>
public sealed record RunFact(RunId Id, string State, DateTimeOffset? EndedAt, string? Reason);

/// <summary>The general model that an organization uses.</summary>
/// <param name="FirstPromotedAt">
/// When extractions first used it, which may be hours after its training. A rollback brings an old moment back, and renews
/// nothing.
/// </param>
public sealed record GeneralModelFact(RunId Id, DateTimeOffset FirstPromotedAt);

/// <summary>What a decision needs to know beside the schedule itself.</summary>
public sealed record DueFacts
{
    /// <summary>The project, or its organization.</summary>
    public bool IsDeleted { get; init; }

    /// <summary>The training of the scope that is not over, whatever started it.</summary>
    public RunFact? LiveRun { get; init; }

    /// <summary>The run of <see cref="Schedule.OpenRunId"/>.</summary>
    public RunFact? OpenRun { get; init; }

    /// <summary>When the newest training of the scope was begun, whatever started it and however it ended.</summary>
    public DateTimeOffset? LastRunCreatedAt { get; init; }

    /// <summary>When the newest training was skipped because it might not spend; null when it ended in another way.</summary>
    public DateTimeOffset? RefusedSpendingAt { get; init; }

    /// <summary>When trainings of the installation were last let begin again.</summary>
    public DateTimeOffset? SpendingResumedAt { get; init; }

    /// <summary>When the last successful training ended.</summary>
    public DateTimeOffset? LastSuccessAt { get; init; }

    public int? LastExampleCount { get; init; }

    /// <summary>Examples that are new since the last successful training; null when nothing is counted yet.</summary>
    public long? NewExamples { get; init; }

    public GeneralModelFact? GeneralModel { get; init; }

    /// <summary>The training of the organization's general model that is not over; of a project.</summary>
    public RunFact? GeneralRun { get; init; }

    /// <summary>Whether the project has a model of its own to renew.</summary>
    public bool HasModel { get; init; }

    /// <summary>Since when the organization retrains its projects; null: it does not.</summary>
    public DateTimeOffset? OrganizationRetrainsSince { get; init; }

    /// <summary>
    /// Why nothing begins now that costs money: everything is stopped, the month's limit is used up, or the scope has begun as many
    /// trainings within a day as it may.
    /// </summary>
    public string? Hold { get; init; }

    /// <summary>Retrainings after a renewed general model that are not over, in the whole organization.</summary>
    public int RetrainingsRunning { get; init; }
}

/// <summary>What to do about a schedule now. The reason is for people, with figures.</summary>
public abstract record DueDecision
{
    private DueDecision(string reason) => Reason = reason;

    public string Reason { get; }

    /// <param name="Trigger">One of <see cref="RunTrigger"/>.</param>
    /// <param name="Slot">Only with <see cref="RunTrigger.Cron"/>.</param>
    public sealed record Due(string Trigger, DateTimeOffset? Slot, string Why) : DueDecision(Why);

    /// <summary>Due, but the organization has enough retrainings at work, or its general model is on its way.</summary>
    /// <param name="Slot">It is kept until then.</param>
    public sealed record Waiting(string Why, DateTimeOffset? Slot = null) : DueDecision(Why);

    public sealed record NotDue(string Why) : DueDecision(Why);

    /// <summary>A slot goes by without a run.</summary>
    public sealed record Skipped(DateTimeOffset Slot, string Why) : DueDecision(Why);

    /// <summary>The failed run is not repeated any more; said once.</summary>
    public sealed record GaveUp(RunId RunId, string Why) : DueDecision(Why);
}
