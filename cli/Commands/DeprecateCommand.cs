using System.CommandLine;
using FeedbackLoop.Cli.Arguments;
using FeedbackLoop.Cli.Settings;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Commands;

/// <summary>Takes a model out of use.</summary>
internal sealed class DeprecateCommand : OperatorCommand
{
    private readonly TimeProvider _time;
    private readonly Argument<Guid> _model = IdOption.Argument("MODEL", "The model: the id of the run that made it.");

    private readonly Option<string?> _reason = TextOption.Reason(
        "Why; it stands on the model and in the audit log.");

    public DeprecateCommand(TimeProvider time)
        : base(
            "deprecate",
            "Takes a ready model out of use. Extractions fall back to the general model, else to the base model. Its "
            + "endpoint is kept, and promote brings it back. Asks first on a terminal.")
    {
        _time = time;
        Arguments.Add(_model);
        Options.Add(_reason);
        Options.Add(Confirmation.YesOption);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "feedbackloop deprecate 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d12 --reason \"invents entities\"",
        "feedbackloop deprecate 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d12 --reason \"invents entities\" --yes --json",
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
        if (model.Status == ModelStatus.Ready)
        {
            await Confirmation.AskAsync(
                arguments, output, $"Take version {model.Version} of {model.Scope} out of use?", cancellationToken);
        }

        if (!await db.DeprecateModelAsync(id, Actor.Name, reason, _time.GetUtcNow(), cancellationToken))
        {
            throw CommandException.Refused(
                $"model {id} is {model.Status}; only a ready one can be taken out of use", null);
        }

        output.Result(
            new PromotionResult(id, ModelStatus.Deprecated, Replaced: null), CliJson.Default.PromotionResult,
            [
                $"Model {id}, version {model.Version} of {model.Scope}, is deprecated.",
                $"Bring it back: feedbackloop promote {id} --reason …",
            ]);
        return ExitCode.Done;
    }
}
