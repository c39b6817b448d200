using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling;

/// <summary>What came of the last look at a schedule, as <c>ml.training_schedules.last_decision</c> holds it.</summary>
public static class ScheduleOutcome
{
    /// <summary>A run was started.</summary>
    public const string Started = "started";

    /// <summary>Due, and waits: for a place among the organization's retrainings, or for its general model.</summary>
    public const string Waiting = "waiting";

    public const string NotDue = "not_due";

    /// <summary>A slot went by without a run.</summary>
    public const string Skipped = "skipped";

    /// <summary>Its run failed and failed again; a person has been told.</summary>
    public const string GaveUp = "gave_up";
}

/// <summary>A row of <c>ml.training_schedules</c>.</summary>
public sealed record Schedule
{
    public required Guid Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public Guid? ProjectId { get; init; }
    public required bool Enabled { get; init; }
    public required bool ThresholdEnabled { get; init; }
    public required int ThresholdCount { get; init; }
    public required bool CronEnabled { get; init; }
    public string? CronExpression { get; init; }
    public string? TimeZone { get; init; }
    public required bool RetrainOnGeneralUpdate { get; init; }
    public required bool NotifyProjectAdmins { get; init; }
    public required bool RetrainProjects { get; init; }
    public decimal? MonthlyLimitUsd { get; init; }
    public bool NoMonthlyLimit { get; init; }

    /// <summary>As <see cref="Runs.PiiFloor.WordOf"/> gives it; null: the organization has set none.</summary>
    public string? PiiFloor { get; init; }

    public required string ParametersJson { get; init; }

    /// <summary>When it was last switched on; what happened before is not made up for.</summary>
    public DateTimeOffset? ActiveSince { get; init; }

    /// <summary>The cron slot that comes next, or that has come and waits; only ever later than the last one.</summary>
    public DateTimeOffset? NextScheduledAt { get; init; }

    /// <summary>When to look at it again. Null: nothing can become due by itself.</summary>
    public DateTimeOffset? NextCheckAt { get; init; }

    /// <summary>The run that this schedule started last, until its end has been dealt with.</summary>
    public RunId? OpenRunId { get; init; }

    /// <summary>Repeats so far of a run that failed.</summary>
    public required int Retries { get; init; }

    /// <summary>New examples that the last threshold run began with.</summary>
    public int? TriedExamples { get; init; }

    public DateTimeOffset? TriedAt { get; init; }

    /// <summary>The general model that a retraining was last started for.</summary>
    public RunId? AnsweredModelId { get; init; }

    /// <summary>End of the last successful training of the scope, whatever started it.</summary>
    public DateTimeOffset? LastTrainingAt { get; init; }

    public int? LastExampleCount { get; init; }

    /// <summary>One of <see cref="ScheduleOutcome"/>.</summary>
    public string? LastDecision { get; init; }

    public string? LastDecisionReason { get; init; }
    public DateTimeOffset? LastDecisionAt { get; init; }

    /// <summary>Grows with every change of the settings.</summary>
    public required int RowVersion { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    public Scope Scope => new(OrganizationId, ProjectId);

    public bool HasCron => Enabled && CronEnabled;

    /// <summary>
    /// The first slot that has come and waits for the general model; null: none does. One that no tick has looked at yet does
    /// not wait.
    /// </summary>
    public DateTimeOffset? WaitingSlot =>
        HasCron && LastDecision == ScheduleOutcome.Waiting && NextScheduledAt <= LastDecisionAt ? NextScheduledAt : null;

    public ScheduleSettings Settings => new()
    {
        Enabled = Enabled,
        ThresholdEnabled = ThresholdEnabled,
        ThresholdCount = ThresholdCount,
        CronEnabled = CronEnabled,
        CronExpression = CronExpression,
        TimeZone = TimeZone,
        RetrainOnGeneralUpdate = RetrainOnGeneralUpdate,
        NotifyProjectAdmins = NotifyProjectAdmins,
        RetrainProjects = RetrainProjects,
        MonthlyLimitUsd = MonthlyLimitUsd,
        NoMonthlyLimit = NoMonthlyLimit,
        PiiFloor = PiiFloor is { } floor ? Runs.PiiFloor.Parse(floor) : null,
        Parameters = ScheduleParameters.FromJson(ParametersJson),
    };
}
