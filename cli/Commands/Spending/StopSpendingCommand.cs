using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Spending;

namespace FeedbackLoop.Cli.Commands.Spending;

/// <param name="Stop">Null: nothing is stopped.</param>
internal sealed record SpendingSwitch(SpendingStop? Stop);

/// <summary>No tuning job and no call of a tuned model any more, of nobody, until <see cref="ResumeSpendingCommand"/>.</summary>
internal sealed class StopSpendingCommand : OperatorCommand
{
    private readonly TimeProvider _time;

    private readonly Option<string?> _reason = TextOption.Reason(
        "Why; every organization reads it on the trainings that do not begin.");

    public StopSpendingCommand(TimeProvider time)
        : base(
            "stop-spending",
            "Stops the spending of the installation: schedules start no training, starting by hand is refused, what has not asked "
            + "Vertex AI for its tuning job yet is skipped, comparisons wait, and extractions ask the base model instead of tuned "
            + "ones, or wait too (Spending:BaseModelWhileStopped). Tuning jobs that run go on; cancel ends one. Asks first on a "
            + "terminal.")
    {
        _time = time;
        Options.Add(_reason);
        Options.Add(Confirmation.YesOption);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop stop-spending --reason \"the bill has doubled\"",
        "feedbackloop stop-spending --reason \"end of the contract\" --yes --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var reason = arguments.GetRequiredValue(_reason)!;  // required
        await using var database = OperatorSettings.Read(arguments).OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await Confirmation.AskAsync(
            arguments, output, "Stop all trainings of all organizations, and the calls of tuned models?", cancellationToken);
        if (!await db.StopSpendingAsync(Actor.Name, reason, _time.GetUtcNow(), cancellationToken))
        {
            throw CommandException.Refused("all spending is stopped already", "See: feedbackloop spending");
        }

        output.Result(
            new SpendingSwitch(await db.FindSpendingStopAsync(cancellationToken)), CliJson.Default.SpendingSwitch,
            [
                "All spending is stopped. Tuning jobs that run go on: feedbackloop training-status --state tuning",
                "Let them begin again: feedbackloop resume-spending",
            ]);
        return ExitCode.Done;
    }
}
