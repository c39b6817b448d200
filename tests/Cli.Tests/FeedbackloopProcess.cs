using System.Diagnostics;
using System.Text.Json;

namespace FeedbackLoop.Cli;

/// <summary>What the program left behind.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The one object that <c>--json</c> writes; anything else on stdout fails the test.</summary>
    public JsonElement Json
    {
        get
        {
            Assert.Equal("", Error);
            Assert.Equal(1, Output.Count(c => c == '\n'));
            using var document = JsonDocument.Parse(Output);
            return document.RootElement.Clone();
        }
    }
}

/// <summary><c>feedbackloop</c> as a process of its own, its output redirected.</summary>
internal static class FeedbackloopProcess
{
    public static async Task<CommandResult> RunAsync(string? database, string input, params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CommandRunner).Assembly.Location, .. args])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("DATABASE_URL");
        if (database is not null)
        {
            start.Environment["DATABASE_URL"] = database;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return new CommandResult(process.ExitCode, await output, await error);
    }
}
