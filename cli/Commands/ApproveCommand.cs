using System.CommandLine;
using System.Globalization;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Commands;

/// <param name="ApprovedUsd">The approval holds for this sum.</param>
/// <param name="IsMessageSent">False: the five-minute sweep wakes the run.</param>
internal sealed record ApproveResult(RunId RunId, string State, decimal ApprovedUsd, bool IsMessageSent, string? WhyNotSent);

/// <summary>Lets a training go on that waits for a person because of what it is expected to cost.</summary>
internal sealed class ApproveCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly Argument<Guid> _run = IdOption.Argument("RUN", "The run that waits.");

    private readonly Option<string?> _reason = TextOption.Create(
        "--reason", "Why; it stands in the audit log.", "TEXT", maxLength: 500);

    public ApproveCommand(TimeProvider time)
        : base(
            "approve",
            "Approves what a training is expected to cost that waits in awaiting_approval, and lets it go on. When the estimate "
            + "is higher by the time of its tuning job, it asks again. Asks first on a terminal.")
    {
        _time = time;
        Arguments.Add(_run);
        Options.Add(_reason);
        Options.Add(Confirmation.YesOption);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop approve 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d12",
        "feedbackloop approve 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d12 --reason \"the new corpus\" --yes --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var settings = OperatorSettings.Read(arguments);
        var id = new RunId(arguments.GetRequiredValue(_run));
        await using var database = settings.OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var seen = await db.FindRunAsync(id, cancellationToken)
            ?? throw CommandException.Refused($"there is no run {id}", "Check the id and --database.");
        if (seen is not { State: RunState.AwaitingApproval, ApprovalAskedUsd: { } usd })
        {
            throw Refuse(seen);
        }

        await Confirmation.AskAsync(
            arguments, output, $"{Sentence(seen.Reason)}\nApprove {Usd(usd)} USD for {seen.Scope}?", cancellationToken);
        var (run, isApproved) = await db.ApproveRunAsync(
            id, Actor.Name, usd, arguments.GetValue(_reason), _time.GetUtcNow(), cancellationToken);
        if (!isApproved)
        {
            throw Refuse(run);
        }

        var wakeup = await Wakeup.SendAsync(database, settings, cancellationToken);
        output.Result(
            new ApproveResult(id, run.State, usd, wakeup.IsSent, wakeup.WhyNot), CliJson.Default.ApproveResult,
            [
                $"Run {id} is approved for {Usd(usd)} USD.",
                wakeup.Sentence(),
                $"Follow it: feedbackloop training-status {id} --watch",
            ]);
        return ExitCode.Done;
    }

    private static CommandException Refuse(Run run) => new(
        ExitCode.Refused,
        run.State == RunState.AwaitingApproval
            ? $"run {run.Id} asks for another sum by now, or its time is over"
            : $"run {run.Id} is {run.State} and waits for no approval",
        $"See: feedbackloop training-status {run.Id}")
    {
        Run = (run.Id, run.State),
    };

    private static string Sentence(string? reason) =>
        reason is { Length: > 0 } ? $"{char.ToUpperInvariant(reason[0])}{reason[1..]}." : "It waits for an approval.";

    private static string Usd(decimal amount) => amount.ToString("0.00##", CultureInfo.InvariantCulture);
}
