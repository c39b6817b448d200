using System.CommandLine;
using FeedbackLoop.Cli;
using FeedbackLoop.Cli.Commands;

const string purpose = "Turns reviewed extractions into tuned models, and shows whether they got better.";

var root = new Command("feedbackloop", purpose)
{
    new MigrateCommand(),
    new ImportCommand(TimeProvider.System),
    new ExportCommand(TimeProvider.System),
};

return await CommandRunner.RunAsync(root, args);
