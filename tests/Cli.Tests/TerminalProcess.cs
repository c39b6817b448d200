using System.Text.RegularExpressions;

namespace FeedbackLoop.Cli;

/// <summary><c>feedbackloop</c> on a terminal of its own, as <c>script</c> of util-linux makes one.</summary>
internal static partial class TerminalProcess
{
    public static FeedbackloopProcess Start(string database, params string[] args) => Start(database, columns: 160, args);

    public static FeedbackloopProcess Start(string database, int columns, params string[] args)
    {
        var command = string.Join(' ', FeedbackloopProcess.Program.Concat(args).Select(word => $"'{word}'"));
        var environment = FeedbackloopProcess.Environment(database);
        environment["TERM"] = "xterm";
        return FeedbackloopProcess.Start(
            environment, ["script", "--quiet", "--return", "--command", $"stty cols {columns}; {command}", "/dev/null"]);
    }

    /// <summary>What a person sees of it, line by line.</summary>
    public static IReadOnlyList<string> Lines(string output) =>
        [.. ControlSequence().Replace(output, "").Split('\n').Select(line => line.TrimEnd('\r', ' ').Split('\r')[^1])];

    [GeneratedRegex(@"\x1b(\[[0-9;?]*[A-Za-z]|[=>])")]
    private static partial Regex ControlSequence();
}
