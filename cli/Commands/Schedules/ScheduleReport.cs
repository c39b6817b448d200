using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Commands.Schedules;

/// <param name="Schedule">Null: nobody has set one.</param>
internal sealed record ScheduleReport(Guid OrganizationId, Guid? ProjectId, ScheduleDetails? Schedule);

/// <param name="Version">For <c>--if-version</c>.</param>
/// <param name="NextSlots">The next five, or none without a cron expression at work.</param>
/// <param name="WaitingSlot">The time that has come and waits for the general model; null: none does.</param>
/// <param name="LastDecision">Null: no tick has looked at it yet.</param>
internal sealed record ScheduleDetails(
    Guid Id, int Version, ScheduleSettings Settings, IReadOnlyList<DateTimeOffset> NextSlots, DateTimeOffset? WaitingSlot,
    DecisionReport? LastDecision, DateTimeOffset? LastTrainingAt, int? LastExampleCount, DateTimeOffset? NextCheckAt)
{
    /// <summary>How many of the next times are shown.</summary>
    private const int Slots = 5;

    public static ScheduleDetails Of(Schedule schedule, DateTimeOffset now) => new(
        schedule.Id,
        schedule.RowVersion,
        schedule.Settings,
        schedule.HasCron && CronTimes.Find(schedule.CronExpression, schedule.TimeZone) is { } times
            ? [.. times.Following(now, Slots)]
            : [],
        schedule.WaitingSlot,
        schedule is { LastDecision: { } outcome, LastDecisionReason: { } reason, LastDecisionAt: { } at }
            ? new(outcome, reason, at)
            : null,
        schedule.LastTrainingAt,
        schedule.LastExampleCount,
        schedule.NextCheckAt);
}

/// <param name="Outcome">One of <see cref="ScheduleOutcome"/>.</param>
internal sealed record DecisionReport(string Outcome, string Reason, DateTimeOffset At);

/// <summary>A schedule for people.</summary>
internal static class SchedulePage
{
    public static IRenderable Of(Scope scope, ScheduleDetails schedule)
    {
        var facts = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (name, text) in Facts(scope, schedule))
        {
            facts.AddRow(new Text(name), new Text(text));
        }

        return facts;
    }

    /// <summary>What to do where there is none yet.</summary>
    public static IEnumerable<string> WithoutOne(Scope scope) =>
    [
        $"{scope} has no schedule: its trainings are started by people alone.",
        $"Set one: feedbackloop schedule set {Option(scope)} --enabled true --threshold-enabled true --threshold-count 100",
    ];

    /// <summary>The option that names a scope.</summary>
    public static string Option(Scope scope) => scope.ProjectId is { } project
        ? $"--project {project}"
        : $"--organization {scope.OrganizationId}";

    private static IEnumerable<(string Name, string Text)> Facts(Scope scope, ScheduleDetails schedule)
    {
        var settings = schedule.Settings;
        yield return ("Scope", $"{scope}");
        yield return ("Enabled", settings.Enabled ? "yes" : "no: nothing below starts a training");
        yield return ("Threshold", settings.ThresholdEnabled ? $"{settings.ThresholdCount} new examples" : "off");
        yield return ("Cron", settings.CronEnabled ? $"{settings.CronExpression} in {settings.TimeZone}" : "off");
        if (scope.IsGeneral)
        {
            yield return ("Monthly limit", settings.MonthlyLimitUsd is { } limit
                ? FormattableString.Invariant($"{limit:0.00} USD, whoever starts a training")
                : settings.NoMonthlyLimit ? "none"
                : "the installation's default");
            yield return ("Personal data", settings.PiiFloor is { } floor
                ? $"at least {PiiFloor.WordOf(floor)}, whoever starts a run"
                : $"at least {PiiFloor.WordOf(PiiFloor.Default)}, whoever starts a run; nobody has set a floor");
            yield return ("New general model", (settings.RetrainProjects, settings.NotifyProjectAdmins) switch
            {
                (true, true) => "trains projects again, tells their admins",
                (true, false) => "trains projects again",
                (false, true) => "tells the admins of projects",
                _ => "off",
            });
        }
        else
        {
            yield return ("New general model", settings.RetrainOnGeneralUpdate ? "trains again" : "off");
        }

        yield return ("Parameters", Words(settings.Parameters));
        var times = CronTimes.Find(settings.CronExpression, settings.TimeZone);
        if (schedule.WaitingSlot is { } waiting)
        {
            yield return ("Waiting", $"since {times?.InWords(waiting) ?? Time(waiting)} for the general model");
        }

        foreach (var (slot, i) in schedule.NextSlots.Select((slot, i) => (slot, i)))
        {
            yield return (i == 0 ? "Next" : "", times?.InWords(slot) ?? Time(slot));
        }

        yield return ("Last decision", schedule.LastDecision is { } decision
            ? $"{decision.Outcome} at {Time(decision.At)}: {decision.Reason}"
            : "none yet; the next hourly tick makes one");
        yield return ("Last training", schedule.LastTrainingAt is { } trained
            ? $"{Time(trained)}{(schedule.LastExampleCount is { } count ? $", with {count} examples" : "")}"
            : "none that a tick has seen");
        yield return ("Version", $"{schedule.Version}");
    }

    private static string Words(ScheduleParameters parameters) => FormattableString.Invariant(
        $"{(parameters.HumanReviewedOnly ? "only what people reviewed" : $"confidence from {parameters.MinConfidence:0.00}")}")
        + FormattableString.Invariant($", epochs {(parameters.Epochs is { } epochs ? epochs : "auto")}")
        + FormattableString.Invariant(
            $", learning rate multiplier {(parameters.LearningRateMultiplier is { } rate ? rate : "auto")}");

    private static string Time(DateTimeOffset at) => FormattableString.Invariant($"{at.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");
}
