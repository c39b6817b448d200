using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Runs;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Commands;

/// <summary>How far a run is, or the latest runs.</summary>
internal sealed class TrainingStatusCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly ScopeOptions _scope = new();

    private readonly Argument<Guid?> _run = IdOption.OptionalArgument("RUN", "The run; without it, the latest runs.");

    private readonly Option<string?> _state = ChoiceOption.Create(
        "--state", "Only runs in this state.", [.. RunTransitions.All]);

    private readonly Option<int> _limit = LimitedOption.Create("--limit", "How many runs.", 20, 1, 1_000);

    private readonly Option<bool> _watch = new("--watch")
    {
        Description = "Follow the run to its end. Ctrl-C ends the watch, not the run.",
    };

    public TrainingStatusCommand(TimeProvider time)
        : base(
            "training-status",
            "Shows a training run: state, progress, timeline, cost, tuning job and model; or the latest runs.")
    {
        _time = time;
        Arguments.Add(_run);
        _scope.AddAtMostOneTo(this);
        Options.Add(_state);
        Options.Add(_limit);
        Options.Add(_watch);
        Validators.Add(result =>
        {
            var hasRun = result.GetResult(_run) is { Tokens.Count: > 0 };
            if (!hasRun && result.GetResult(_watch) is { Implicit: false })
            {
                result.AddError("--watch needs the id of a run");
            }

            foreach (var filter in (Option[])[_scope.Project, _scope.Organization, _state, _limit])
            {
                if (hasRun && result.GetResult(filter) is { Implicit: false })
                {
                    result.AddError($"{filter.Name} is for the list of runs; leave it out, or leave out the id");
                }
            }
        });
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop training-status",
        "feedbackloop training-status 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d12 --watch",
        "feedbackloop training-status --organization 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d11 --state failed --json",
    ];

    public override IReadOnlyList<string> ExitCodes =>
    [
        "0 shown; with --watch: the run's model is ready, and in use",
        "2 wrong usage",
        "3 no such run, project or organization; with --watch also: skipped, cancelled, kept back, needs an operator",
        "4 failed; with --watch also: the run failed",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var settings = OperatorSettings.Read(arguments);
        var catalogue = settings.ReadCatalogue();
        await using var database = settings.OpenDatabase();
        if (arguments.GetValue(_run) is { } id && arguments.GetValue(_watch))
        {
            return await new RunWatch(database, catalogue, _time, output).FollowAsync(new RunId(id), cancellationToken);
        }

        await using var db = await database.OpenConnectionAsync(cancellationToken);
        if (arguments.GetValue(_run) is { } one)
        {
            var run = await RunReport.FindAsync(db, new RunId(one), catalogue, cancellationToken)
                ?? throw CommandException.Refused($"there is no run {one}", "Check the id and --database.");
            output.Result(run, CliJson.Default.RunReport, RunPage.Of(run));
            return ExitCode.Done;
        }

        var filter = await _scope.FilterAsync(db, arguments, cancellationToken);
        var runs = await RunReport.ListAsync(
            db, filter, arguments.GetValue(_state), arguments.GetValue(_limit), catalogue, cancellationToken);
        output.Result(new RunList(runs), CliJson.Default.RunList, RunPage.Of(runs));
        return ExitCode.Done;
    }
}
