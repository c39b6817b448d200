using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Scheduling;

namespace FeedbackLoop.Cli.Commands.Schedules;

/// <summary>What a schedule is set to, when it comes next, and what was decided last.</summary>
internal sealed class ScheduleShowCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly ScopeOptions _scope = new();

    public ScheduleShowCommand(TimeProvider time)
        : base("show", "Shows a schedule: its settings, its next five times, and what the last tick decided and why.")
    {
        _time = time;
        _scope.AddOneTo(this);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop schedule show --project 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10",
        "feedbackloop schedule show --organization 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11 --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        await using var database = OperatorSettings.Read(arguments).OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var scope = await _scope.GetAsync(db, arguments, cancellationToken);
        var schedule = await db.FindScheduleAsync(scope, cancellationToken);
        var details = schedule is null ? null : ScheduleDetails.Of(schedule, _time.GetUtcNow());
        var report = new ScheduleReport(scope.OrganizationId, scope.ProjectId, details);
        if (details is null)
        {
            output.Result(report, CliJson.Default.ScheduleReport, SchedulePage.WithoutOne(scope));
        }
        else
        {
            output.Result(report, CliJson.Default.ScheduleReport, SchedulePage.Of(scope, details));
        }

        return ExitCode.Done;
    }
}
