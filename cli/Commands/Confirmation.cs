using System.CommandLine;
using Spectre.Console;

namespace FeedbackLoop.Cli.Commands;

/// <summary>The question before something that extractions feel at once.</summary>
internal static class Confirmation
{
    public static readonly Option<bool> YesOption = new("--yes", "-y")
    {
        Description = "Do not ask. Without a terminal nothing is asked anyway.",
    };

    /// <exception cref="CommandException">The person said no.</exception>
    public static async Task AskAsync(
        ParseResult arguments, CommandOutput output, string question, CancellationToken cancellationToken)
    {
        if (arguments.GetValue(YesOption) || !output.IsTerminal || Console.IsInputRedirected)
        {
            return;
        }

        var prompt = new ConfirmationPrompt(Markup.Escape(question)) { DefaultValue = false };
        if (!await prompt.ShowAsync(AnsiConsole.Console, cancellationToken))
        {
            throw CommandException.Refused("left as it is", remedy: null);
        }
    }
}
