using System.Diagnostics;
using System.Runtime.InteropServices;
using FeedbackLoop.Local;

namespace FeedbackLoop.Pipeline.Tests;

/// <summary><c>./run</c> as a process of its own, however it ends.</summary>
public sealed class ServingProcessTests
{
    private const int HangUp = 1;
    private const int Kill = 9;
    private const int Terminate = 15;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_closed_terminal_and_a_kill_leave_nothing_that_the_next_start_stumbles_over()
    {
        var state = Directory.CreateTempSubdirectory("serving-tests-");
        try
        {
            // The account that runs PostgreSQL for root has to get through; Windows has neither.
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(state.FullName, File.GetUnixFileMode(state.FullName) | UnixFileMode.OtherExecute);
            }

            var hungUp = await ServeAsync(state.FullName, HangUp);
            Assert.Equal((130, ""), (hungUp.ExitCode, hungUp.Error));
            Assert.Empty(ServersBelow(state.FullName));

            var killed = await ServeAsync(state.FullName, Kill);
            Assert.Equal(128 + Kill, killed.ExitCode);
            var left = Assert.Single(ServersBelow(state.FullName));

            var terminated = await ServeAsync(state.FullName, Terminate);
            Assert.Equal((130, ""), (terminated.ExitCode, terminated.Error));
            Assert.DoesNotContain(left, ServersBelow(state.FullName));
            Assert.Empty(ServersBelow(state.FullName));
        }
        finally
        {
            state.Delete(recursive: true);
        }
    }

    /// <summary>Starts it, waits until it serves, and signals it.</summary>
    private static async Task<(int ExitCode, string Error)> ServeAsync(string state, int signal)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(LocalChain).Assembly.Location, "--state", state, "--port", "0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(Stop);
        string? line;
        do
        {
            line = await process.StandardOutput.ReadLineAsync(Stop);
        }
        while (line is not null && !line.StartsWith("Serving.", StringComparison.Ordinal));
        Assert.True(line is not null, $"it ended before it served: {(line is null ? await error : "")}");

        var rest = process.StandardOutput.ReadToEndAsync(Stop);
        Assert.Equal(0, Signal(process.Id, signal));
        await process.WaitForExitAsync(Stop);
        await rest;
        return (process.ExitCode, await error);
    }

    // By their command lines.
    private static List<int> ServersBelow(string state) =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var pid) ? pid : 0)
            .Where(pid => pid > 0 && CommandOf(pid) is [var program, ..] words && Path.GetFileName(program) == "postgres"
                && words.Any(word => word.StartsWith(state, StringComparison.Ordinal))),
    ];

    private static string[] CommandOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int processId, int signal);
}
