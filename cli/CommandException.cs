using FeedbackLoop.Runs;

namespace FeedbackLoop.Cli;

/// <summary>Ends a command with words for the person who typed it.</summary>
/// <param name="remedy">What to do about it, or null when nobody can tell.</param>
internal sealed class CommandException(int exitCode, string problem, string? remedy, Exception? inner = null)
    : Exception(problem, inner)
{
    public int ExitCode { get; } = exitCode;

    public string Problem { get; } = problem;

    public string? Remedy { get; } = remedy;

    /// <summary>The run that stands in the way, for a machine.</summary>
    public (RunId Id, string State)? Run { get; init; }

    public static CommandException Usage(string problem, string? remedy) =>
        new(Cli.ExitCode.Usage, problem, remedy);

    public static CommandException Refused(string problem, string? remedy) =>
        new(Cli.ExitCode.Refused, problem, remedy);
}
