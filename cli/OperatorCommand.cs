using System.CommandLine;

namespace FeedbackLoop.Cli;

/// <summary>
/// One command of <c>feedbackloop</c>: its options and arguments in the constructor, its work in
/// <see cref="RunAsync"/>. <c>--database</c>, <c>--settings</c> and <c>--json</c> are there for all of them.
/// </summary>
internal abstract class OperatorCommand : Command
{
    protected OperatorCommand(string name, string description)
        : base(name, description) =>
        SetAction((arguments, cancellationToken) =>
            RunAsync(arguments, new CommandOutput(arguments.GetValue(CommandOutput.JsonOption)), cancellationToken));

    /// <summary>Whole command lines for the end of the help, the most common first.</summary>
    public abstract IReadOnlyList<string> Examples { get; }

    /// <summary>What <see cref="ExitCode"/> means for this command, for the end of the help.</summary>
    public virtual IReadOnlyList<string> ExitCodes => UsualExitCodes;

    public static IReadOnlyList<string> UsualExitCodes { get; } =
        ["0 done, 2 wrong usage, 3 refused with a reason, 4 failed"];

    /// <returns>One of <see cref="ExitCode"/>.</returns>
    /// <exception cref="CommandException">The command ends early, with these words.</exception>
    protected abstract Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken);
}
