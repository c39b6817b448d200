using FeedbackLoop.Scheduling;

namespace FeedbackLoop.AdminApi.Schedules;

/// <summary>A schedule as people set it, whole: what is left out gets its default.</summary>
/// <param name="Enabled">Off: nothing below starts a training.</param>
/// <param name="ThresholdEnabled">Train when so many examples are new since the last successful training.</param>
/// <param name="ThresholdCount">1 to 1,000,000.</param>
/// <param name="CronExpression">Minute, hour, day of month, month, day of week; at least six hours between two times.</param>
/// <param name="TimeZone">IANA name, such as <c>Europe/Berlin</c>.</param>
/// <param name="RetrainOnGeneralUpdate">Of a project: train when the organization has a new general model.</param>
/// <param name="NotifyProjectAdmins">Of an organization: tell the projects' admins of a new general model.</param>
/// <param name="RetrainProjects">Of an organization: then train every project that has a model of its own.</param>
/// <param name="MonthlyLimitUsd">
/// Of an organization: most that its trainings and its projects' may be estimated at in a calendar month, whoever starts them
/// and also while the schedule is off. Null: no limit.
/// </param>
internal sealed record ScheduleInput(
    bool Enabled = false,
    bool ThresholdEnabled = false,
    int ThresholdCount = 100,
    bool CronEnabled = false,
    string? CronExpression = null,
    string? TimeZone = null,
    bool RetrainOnGeneralUpdate = false,
    bool NotifyProjectAdmins = false,
    bool RetrainProjects = false,
    decimal? MonthlyLimitUsd = null,
    ScheduleParameters? Parameters = null)
{
    public static ScheduleInput Of(ScheduleSettings settings) => new(
        settings.Enabled, settings.ThresholdEnabled, settings.ThresholdCount, settings.CronEnabled,
        settings.CronExpression, settings.TimeZone, settings.RetrainOnGeneralUpdate, settings.NotifyProjectAdmins,
        settings.RetrainProjects, settings.MonthlyLimitUsd, settings.Parameters);

    public ScheduleSettings ToSettings() => new()
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
        Parameters = Parameters ?? new ScheduleParameters(),
    };
}

/// <param name="Outcome"><c>started</c>, <c>waiting</c>, <c>not_due</c>, <c>skipped</c> or <c>gave_up</c>.</param>
internal sealed record ScheduleDecision(string Outcome, string Reason, DateTimeOffset At);

/// <summary>What a training by this schedule would find now.</summary>
/// <param name="Available">Examples at the schedule's confidence; an export leaves some more out.</param>
/// <param name="Minimum">Fewest that a training of this tier takes.</param>
/// <param name="NewSinceLastTraining">Null: there was none.</param>
internal sealed record ScheduleEstimate(long Available, int Minimum, long? NewSinceLastTraining);

/// <param name="Month">First day of the calendar month, UTC.</param>
/// <param name="CommittedUsd">Estimates of the tuning jobs that were asked for in it.</param>
internal sealed record SpendingView(DateOnly Month, decimal? LimitUsd, decimal CommittedUsd);

/// <param name="Version">Grows with each change of the settings, and is the ETag; 0: nobody has set any.</param>
/// <param name="NextTimes">Up to five, with the offset of the schedule's zone; none when it goes by no clock.</param>
/// <param name="LastTrainingAt">End of the last successful training, as the last tick saw it.</param>
/// <param name="LastDecision">What the last tick made of it; null: no tick has looked yet.</param>
/// <param name="Hold">Why no training begins now, whatever is due; null: nothing holds it.</param>
/// <param name="Spending">Of an organization.</param>
internal sealed record ScheduleView(
    Guid OrganizationId, Guid? ProjectId, int Version, ScheduleInput Settings, IReadOnlyList<DateTimeOffset> NextTimes,
    ScheduleEstimate Estimate, DateTimeOffset? LastTrainingAt, int? LastExampleCount, ScheduleDecision? LastDecision,
    Guid? OpenRunId, int Retries, string? Hold, SpendingView? Spending, DateTimeOffset? UpdatedAt);
