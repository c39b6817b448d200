using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;

namespace FeedbackLoop.Cli.Commands.Schedules;

/// <summary>Changes a schedule, or makes the first one of its scope.</summary>
internal sealed class ScheduleSetCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly ScopeOptions _scope = new();
    private readonly ScheduleSettingsOptions _settings = new();

    private readonly Option<int?> _ifVersion = LimitedOption.CreateOptional(
        "--if-version", "Refuse when the schedule has another version than this. 0: when there is one.", 0, int.MaxValue);

    public ScheduleSetCommand(TimeProvider time)
        : base("set", "Changes the given settings of a schedule and leaves the others; without a schedule it makes one.")
    {
        _time = time;
        _scope.AddOneTo(this);
        foreach (var option in _settings.All.Append(_ifVersion))
        {
            Options.Add(option);
        }
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop schedule set --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --enabled true --threshold-enabled true "
        + "--threshold-count 200",
        "feedbackloop schedule set --organization 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11 --enabled true --cron-enabled true "
        + "--cron-expression \"0 2 * * 0\" --time-zone Europe/Berlin --retrain-projects true",
        "feedbackloop schedule set --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10 --enabled false --if-version 3 --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        if (!_settings.AreGiven(arguments))
        {
            throw CommandException.Usage("nothing is to be changed", "Give a setting, such as --enabled true.");
        }

        await using var database = OperatorSettings.Read(arguments).OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var scope = await _scope.GetAsync(db, arguments, cancellationToken);
        var before = await db.FindScheduleAsync(scope, cancellationToken);
        var wanted = _settings.Change(before?.Settings ?? new ScheduleSettings(), arguments);
        var seen = arguments.GetValue(_ifVersion) ?? before?.RowVersion ?? 0;
        var outcome = await db.SaveScheduleAsync(
            scope, wanted, seen == 0 ? null : seen, Actor.Name, _time.GetUtcNow(), cancellationToken);
        var saved = outcome switch
        {
            ScheduleChangeOutcome.Saved done => done.Schedule,
            ScheduleChangeOutcome.Invalid invalid => throw _settings.Explain(invalid.Errors, "schedule set"),
            ScheduleChangeOutcome.Changed changed => throw Refuse(scope, changed.Current, seen),
            _ => throw new InvalidOperationException($"unknown outcome {outcome}"),
        };
        var details = ScheduleDetails.Of(saved, _time.GetUtcNow());
        output.Result(
            new ScheduleReport(scope.OrganizationId, scope.ProjectId, details), CliJson.Default.ScheduleReport,
            SchedulePage.Of(scope, details));
        return ExitCode.Done;
    }

    private static CommandException Refuse(Scope scope, Schedule? current, int seen)
    {
        var was = seen == 0 ? "none" : $"version {seen}";
        var problem = current is null
            ? $"{scope} has no schedule, and {was} was expected"
            : $"the schedule of {scope} has version {current.RowVersion}, and {was} was expected: somebody has changed it";
        return CommandException.Refused(
            problem, $"Look at it, and give the command again: feedbackloop schedule show {SchedulePage.Option(scope)}");
    }
}
