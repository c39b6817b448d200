using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using FeedbackLoop.Cli.Settings;

namespace FeedbackLoop.Cli;

/// <summary>From the words of the command line to an exit code.</summary>
internal static class CommandRunner
{
    public static async Task<int> RunAsync(Command root, string[] args)
    {
        AddGlobalOptions(root);
        if (args is [var directive, ..] && Suggestions.TryParse(directive, out var position))
        {
            Suggestions.Write(root, args is [_, var line, ..] ? line : "", position);
            return ExitCode.Done;
        }

        var parsed = root.Parse(args);
        var output = new CommandOutput(args.Contains(CommandOutput.JsonOption.Name));
        if (parsed is { Errors: [var first, ..], Action: ParseErrorAction })
        {
            // The parser's first complaint about an unknown command is that there is none.
            var problem = parsed.UnmatchedTokens is [var word, ..] ? $"'{word}' is not known here" : first.Message;
            output.Failure(CommandException.Usage(problem, $"See: {PathOf(parsed.CommandResult.Command)} --help"));
            return ExitCode.Usage;
        }

        try
        {
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
            return await parsed.InvokeAsync(configuration);
        }
        catch (Exception e)
        {
            var failure = FailureWords.Explain(e);
            output.Failure(failure);
            return failure.ExitCode;
        }
    }

    public static void AddGlobalOptions(Command root)
    {
        // A RootCommand brings these, but takes its name from the program's file.
        root.Options.Add(new HelpOption());
        root.Options.Add(new VersionOption());
        root.Options.Add(DatabaseOption.Instance);
        root.Options.Add(OperatorSettings.FileOption);
        root.Options.Add(CommandOutput.JsonOption);
        foreach (var help in root.Options.OfType<HelpOption>())
        {
            help.Action = new HelpWithExamples((HelpAction)help.Action!);
        }
    }

    /// <summary>The words that call a command, from the program's name on.</summary>
    public static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent
            ? $"{PathOf(parent)} {command.Name}"
            : command.Name;

    private sealed class HelpWithExamples(HelpAction standard) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var code = standard.Invoke(parseResult);
            var command = parseResult.CommandResult.Command;
            var examples = command is OperatorCommand leaf
                ? leaf.Examples
                : FeedbackloopCommand.Leaves(command).Select(c => c.Examples[0]);
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var example in examples)
            {
                output.WriteLine($"  {example}");
            }

            output.WriteLine();
            output.WriteLine("Exit codes:");
            foreach (var line in (command as OperatorCommand)?.ExitCodes ?? OperatorCommand.UsualExitCodes)
            {
                output.WriteLine($"  {line}");
            }

            return code;
        }
    }
}
