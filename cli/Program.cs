using System.CommandLine;
using FeedbackLoop.Cli;
using FeedbackLoop.Cli.Commands;

var root = new Command("feedbackloop", "Turns reviewed extractions into tuned models, and shows whether they got better.")
{
    new MigrateCommand(),
    new ImportCommand(TimeProvider.System),
    new ExportCommand(TimeProvider.System),
};

return await CommandRunner.RunAsync(root, args);
