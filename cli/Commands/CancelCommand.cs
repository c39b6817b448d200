using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Commands;

/// <param name="IsMessageSent">False: the five-minute sweep looks at the run.</param>
internal sealed record CancelResult(RunId RunId, string State, bool IsMessageSent, string? WhyNotSent);

/// <summary>Asks a run to end.</summary>
internal sealed class CancelCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly Argument<Guid> _run = IdOption.Argument("RUN", "The run to end.");
    private readonly Option<string?> _reason = TextOption.Reason("Why; it stands on the run and in the audit log.");

    public CancelCommand(TimeProvider time)
        : base(
            "cancel",
            "Asks a run to end. A tuning job is cancelled at Vertex first; that may come too late, and then the run still "
            + "ends as cancelled and its model is not promoted.")
    {
        _time = time;
        Arguments.Add(_run);
        Options.Add(_reason);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop cancel 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d12 --reason \"wrong project\"",
        "feedbackloop cancel 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d12 --reason \"wrong project\" --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var settings = OperatorSettings.Read(arguments);
        var id = new RunId(arguments.GetRequiredValue(_run));
        var reason = arguments.GetRequiredValue(_reason)!;  // required
        await using var database = settings.OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var isCancelling = await db.RequestCancelAsync(
            id, Actor.Name, reason, _time.GetUtcNow(), cancellationToken);
        var run = await db.FindRunAsync(id, cancellationToken)
            ?? throw CommandException.Refused($"there is no run {id}", "Check the id and --database.");
        if (!isCancelling)
        {
            throw new CommandException(
                ExitCode.Refused, $"run {id} is {run.State} and cannot be cancelled",
                run.State == RunState.NeedsOperator
                    ? "A person must first find out whether its tuning job exists."
                    : null)
            {
                Run = (id, run.State),
            };
        }

        var wakeup = await Wakeup.SendAsync(database, settings, cancellationToken);
        output.Result(
            new CancelResult(id, run.State, wakeup.IsSent, wakeup.WhyNot), CliJson.Default.CancelResult,
            [
                $"Run {id} is {run.State}.",
                wakeup.IsSent ? "The message is sent; the run ends soon." : wakeup.Sentence(),
                $"Follow it: feedbackloop training-status {id} --watch",
            ]);
        return ExitCode.Done;
    }
}
