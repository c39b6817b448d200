using System.CommandLine;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli.Arguments;

/// <summary>Options that take a day. What is wrong with it is for those to say who know the limits.</summary>
internal static class DateOption
{
    public static Option<string?> Create(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "YYYY-MM-DD",
    };

    /// <param name="errors">Of fields that are named as the options are.</param>
    public static CommandException Explain(IReadOnlyList<FieldError> errors, string command) => CommandException.Usage(
        string.Join("; ", errors.Select(error => $"--{error.Message}")), $"See: feedbackloop {command} --help");
}
