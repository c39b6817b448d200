namespace FeedbackLoop.Cli;

/// <summary><c>feedbackloop</c> on a terminal of its own, as <c>script</c> of util-linux makes one.</summary>
internal static class TerminalProcess
{
    public static FeedbackloopProcess Start(string database, params string[] args)
    {
        var command = string.Join(' ', FeedbackloopProcess.Program.Concat(args).Select(word => $"'{word}'"));
        var environment = FeedbackloopProcess.Environment(database);
        environment["TERM"] = "xterm";
        return FeedbackloopProcess.Start(
            environment, ["script", "--quiet", "--return", "--command", $"stty cols 160; {command}", "/dev/null"]);
    }
}
