using System.CommandLine;
using System.Globalization;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using FeedbackLoop.Statistics;
using Npgsql;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace FeedbackLoop.Cli.Commands.Schedules;

/// <summary>What a schedule would have done.</summary>
/// <param name="IsSaved">Whether these are the saved settings, without a change by an option.</param>
/// <param name="ExamplesNow">What there is to train on today, at the schedule's confidence.</param>
internal sealed record ReplayReport(
    Guid OrganizationId, Guid? ProjectId, ScheduleSettings Settings, bool IsSaved, DateTimeOffset From, DateTimeOffset To,
    double TrainingHours, int Trainings, int Skipped, long ExamplesNow, IReadOnlyList<ReplayedDecision> Decisions);

/// <summary>Replays a schedule over the past, before somebody relies on it. Changes nothing.</summary>
internal sealed class ScheduleSimulateCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly ScopeOptions _scope = new();
    private readonly ScheduleSettingsOptions _settings = new();
    private readonly Option<int> _days = LimitedOption.Create("--days", "How far back.", 90, 1, 366);

    private readonly Option<double> _trainingHours = LimitedOption.Create(
        "--training-hours", "How long each training takes.", 6.0, 0.1, 240);

    public ScheduleSimulateCommand(TimeProvider time)
        : base(
            "simulate",
            "Replays the saved schedule, or one with the given settings, over the past: when it would have trained, and when "
            + "not and why. Hour by hour, by the decision of the hourly tick. It assumes that each training takes "
            + "--training-hours and succeeds, and that the organization has a place for it. An example counts from its last "
            + "change on, because rows hold no older state: one that was reviewed twice seems newer than it was, and what "
            + "was deleted since is not seen. Trainings that really ran within the period are left out; general models that "
            + "became ready are not.")
    {
        _time = time;
        _scope.AddOneTo(this);
        foreach (var option in _settings.All.Append(_days).Append(_trainingHours))
        {
            Options.Add(option);
        }
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop schedule simulate --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10",
        "feedbackloop schedule simulate --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --enabled true "
        + "--threshold-enabled true --threshold-count 50 --days 30",
        "feedbackloop schedule simulate --organization 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11 --training-hours 12 --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var operatorSettings = OperatorSettings.Read(arguments);
        await using var database = operatorSettings.OpenDatabase();
        var rules = new CountingRules(operatorSettings.ReadVerification());
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var scope = await _scope.GetAsync(db, arguments, cancellationToken);
        var saved = await db.FindScheduleAsync(scope, cancellationToken);
        var isChanged = _settings.AreGiven(arguments);
        if (saved is null && !isChanged)
        {
            throw CommandException.Refused(
                $"{scope} has no schedule to replay",
                "Give the settings of one, such as --enabled true --threshold-enabled true --threshold-count 100.");
        }

        var to = _time.GetUtcNow();
        var from = to.AddDays(-arguments.GetValue(_days));
        var settings = _settings.Change(saved?.Settings ?? new ScheduleSettings(), arguments);
        if (ScheduleRules.Check(settings, isProject: !scope.IsGeneral, to) is { Count: > 0 } errors)
        {
            throw _settings.Explain(errors, "schedule simulate");
        }

        var hours = arguments.GetValue(_trainingHours);
        var examplesNow = await CountAsync(database, rules, scope, settings, cancellationToken);
        var history = await db.ReadReplayHistoryAsync(rules, scope, settings.Parameters, from, to, cancellationToken);
        var decisions = ScheduleReplay.Run(scope, settings, history, from, to, TimeSpan.FromHours(hours));
        var report = new ReplayReport(
            scope.OrganizationId, scope.ProjectId, settings, !isChanged, from, to, hours,
            decisions.Count(decision => decision.Outcome == ScheduleOutcome.Started),
            decisions.Count(decision => decision.Outcome == ScheduleOutcome.Skipped), examplesNow, decisions);
        output.Result(report, CliJson.Default.ReplayReport, Page(report));
        return ExitCode.Done;
    }

    // The reader counts what is not counted yet, which the history then reads.
    private static async Task<long> CountAsync(
        NpgsqlDataSource database, CountingRules rules, Scope scope, ScheduleSettings settings,
        CancellationToken cancellationToken)
    {
        var reader = new StatisticsReader(database, new StatisticsFold(database, rules));
        var level = VerificationLevel.Of(settings.Parameters.ToRunParameters().Export);
        return scope.ProjectId is { } project
            ? (await reader.ReadProjectAsync(scope.OrganizationId, project, level, cancellationToken))?.ExamplesAvailable ?? 0
            : (await reader.ReadOrganizationAsync(scope.OrganizationId, level, cancellationToken)).ExamplesAvailable;
    }

    private static Rows Page(ReplayReport report)
    {
        var lines = new List<IRenderable>();
        if (report.Decisions.Count > 0)
        {
            lines.Add(Table(report));
            lines.Add(Text.Empty);
        }

        lines.Add(new Text(string.Create(
            CultureInfo.InvariantCulture,
            $"{Count(report.Trainings, "training")}, {Count(report.Skipped, "slot")} skipped in "
            + $"{Count((int)(report.To - report.From).TotalDays, "day")}; {Count(report.ExamplesNow, "example")} now.")));
        if (!report.Settings.Enabled)
        {
            lines.Add(new Text("The schedule is switched off; replay it as if it were on with --enabled true."));
        }

        return new Rows(lines);
    }

    private static string Count(long number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number:N0} {noun}{(number == 1 ? "" : "s")}");

    private static Table Table(ReplayReport report)
    {
        var zone = CronTimes.FindZone(report.Settings.TimeZone) ?? TimeZoneInfo.Utc;
        var table = CommandOutput.Table($"AT ({zone.Id})", "OUTCOME", "TRIGGER", "NEW", "EXAMPLES", "WHY");
        foreach (var decision in report.Decisions)
        {
            var isStarted = decision.Outcome == ScheduleOutcome.Started;
            table.AddRow(
                new Text(FormattableString.Invariant($"{TimeZoneInfo.ConvertTime(decision.At, zone):yyyy-MM-dd HH:mm}")),
                new Text(isStarted ? "trains" : decision.Outcome, new Style(isStarted ? Color.Green : Color.Grey)),
                new Text(decision.Trigger ?? "–"),
                new Text(string.Create(CultureInfo.InvariantCulture, $"{decision.NewExamples:N0}")),
                new Text(string.Create(CultureInfo.InvariantCulture, $"{decision.Examples:N0}")),
                new Text(decision.Reason));
        }

        return table;
    }
}
