using System.CommandLine;
using FeedbackLoop.Cli.Commands;
using FeedbackLoop.Cli.Commands.Lineage;
using FeedbackLoop.Cli.Commands.Metrics;
using FeedbackLoop.Cli.Commands.Spending;

namespace FeedbackLoop.Cli;

/// <summary>The command line as a whole.</summary>
internal static class FeedbackloopCommand
{
    public static Command Create(TimeProvider time) =>
        new("feedbackloop", "Turns reviewed extractions into tuned models, and shows whether they got better.")
        {
            new MigrateCommand(),
            new ImportCommand(time),
            new ExportCommand(time),
            new UploadCommand(time),
            TrainCommand.ForGeneralModel(time),
            TrainCommand.ForProjectModel(time),
            new TrainingStatusCommand(time),
            new ApproveCommand(time),
            new CancelCommand(time),
            new ListModelsCommand(),
            new SelectModelCommand(),
            new ExtractCommand(),
            new ConfirmEmptyCommand(time),
            new PromoteCommand(time),
            new DeprecateCommand(time),
            new LineageCommand(),
            new ForgetDocumentCommand(time),
            new MetricsCommand(time),
            ScheduleCommand.Create(time),
            new SpendingCommand(time),
            new StopSpendingCommand(time),
            new ResumeSpendingCommand(time),
            new CompletionCommand(),
        };

    /// <summary>The commands that do something, those of groups among them.</summary>
    public static IEnumerable<OperatorCommand> Leaves(Command command) => command.Subcommands.SelectMany(each =>
        each is OperatorCommand leaf ? [leaf] : Leaves(each));
}
