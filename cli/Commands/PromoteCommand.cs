using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Commands;

/// <param name="Replaced">The model that was ready until now.</param>
internal sealed record PromotionResult(RunId ModelId, string Status, RunId? Replaced);

/// <summary>Makes a model the one that extractions use.</summary>
internal sealed class PromoteCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly Argument<Guid> _model = IdOption.Argument("MODEL", "The model: the id of the run that made it.");
    private readonly Option<string?> _reason = TextOption.Reason("Why; it stands in the audit log.");

    public PromoteCommand(TimeProvider time)
        : base(
            "promote",
            "Makes a model the one that extractions use, and deprecates the one that was. A deprecated model comes back "
            + "the same way: a rollback. Asks first on a terminal.")
    {
        _time = time;
        Arguments.Add(_model);
        Options.Add(_reason);
        Options.Add(Confirmation.YesOption);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop promote 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d12 --reason \"the new one drops relationships\"",
        "feedbackloop promote 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d12 --reason rollback --yes --json",
    ];

    protected override async Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var id = new RunId(arguments.GetRequiredValue(_model));
        var reason = arguments.GetRequiredValue(_reason)!;  // required
        await using var database = OperatorSettings.Read(arguments).OpenDatabase();
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        var model = await db.FindModelAsync(id, cancellationToken)
            ?? throw CommandException.Refused($"there is no model {id}", "See: feedbackloop list-models");
        await Confirmation.AskAsync(
            arguments, output,
            (model is { Verdict: ModelVerdict.Worse, VerdictReason: { } figures } ? $"It was evaluated as worse: {figures}.\n" : "")
            + $"Promote version {model.Version} of {model.Scope}? Its extractions use it within thirty seconds.",
            cancellationToken);
        var outcome = await db.PromoteModelAsync(id, Actor.Name, reason, _time.GetUtcNow(), cancellationToken);
        var replaced = outcome switch
        {
            PromotionOutcome.Promoted promoted => promoted.Replaced,
            PromotionOutcome.AlreadyReady => throw CommandException.Refused($"model {id} is ready already", null),
            PromotionOutcome.ReasonNeeded worse => throw CommandException.Refused(
                $"model {id} was evaluated as worse: {worse.Verdict}", "Give a --reason to promote it all the same."),
            PromotionOutcome.Refused refused => throw CommandException.Refused(
                refused.Reason, "See: feedbackloop list-models"),
            _ => throw new InvalidOperationException($"unknown outcome {outcome}"),
        };
        output.Result(
            new PromotionResult(id, ModelStatus.Ready, replaced), CliJson.Default.PromotionResult,
            [
                $"Model {id}, version {model.Version} of {model.Scope}, is ready.",
                replaced is { } old ? $"Model {old} is deprecated; promote brings it back." : "There was none before it.",
            ]);
        return ExitCode.Done;
    }
}
