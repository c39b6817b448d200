using System.CommandLine;

namespace FeedbackLoop.Cli;

/// <summary>Commands by what is typed after <c>feedbackloop</c>, such as <c>schedule sync-jobs</c>.</summary>
internal static class CommandPaths
{
    /// <summary>Every command that does something, by its path.</summary>
    public static IEnumerable<(string Path, Command Command)> Of(Command root) => root.Subcommands.SelectMany(
        command => command.Subcommands.Count == 0
            ? [(command.Name, command)]
            : Of(command).Select(inner => ($"{command.Name} {inner.Path}", inner.Command)));
}
