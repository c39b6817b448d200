using System.CommandLine;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Spending;

namespace FeedbackLoop.Cli.Commands.Spending;

/// <summary>Ends what <see cref="StopSpendingCommand"/> began.</summary>
internal sealed class ResumeSpendingCommand : OperatorCommand
{
    private readonly TimeProvider _time;

    public ResumeSpendingCommand(TimeProvider time)
        : base(
            "resume-spending",
            "Ends what stop-spending began. Slots of schedules that went by meanwhile do not come back; what waits for its "
            + "examples or for a new general model begins with the next tick, and extractions that waited with the next sweep.") => _time = time;

    public override IReadOnlyList<string> Examples =>
        ["feedbackloop resume-spending", "feedbackloop resume-spending --json"];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        await using var database = OperatorSettings.Read(arguments).OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        if (!await db.ResumeSpendingAsync(Actor.Name, _time.GetUtcNow(), cancellationToken))
        {
            throw CommandException.Refused("nothing is stopped", "See: feedbackloop spending");
        }

        output.Result(new SpendingSwitch(Stop: null), CliJson.Default.SpendingSwitch, ["Spending goes on."]);
        return ExitCode.Done;
    }
}
