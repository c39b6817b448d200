using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace FeedbackLoop.Testing;

/// <summary><c>./test NAME…</c>, as far as it starts nothing.</summary>
public sealed class TestCommandTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_name_that_is_none_is_answered_with_all_of_them()
    {
        var (exitCode, output, error) = await RunAsync("Pii.Tests", "Exprot.Tests");

        Assert.Equal((2, ""), (exitCode, output));
        Assert.StartsWith("./test: there is no Exprot.Tests\n", error, StringComparison.Ordinal);
        AssertHasAllNames(error);
    }

    [Fact]
    public async Task Help_has_every_name()
    {
        var (exitCode, output, error) = await RunAsync("--help");

        Assert.Equal((0, ""), (exitCode, error));
        AssertHasAllNames(output);
    }

    [Theory]
    [InlineData(2, "sleep 100000", "ended: ./test has taken its 60 minutes")]
    [InlineData(2, "bash -c 'sleep 100000 & wait'", "ended: ./test has taken its 60 minutes")] // by a child of its own
    [InlineData(0, "echo never", "not run: ./test has taken its 60 minutes")]
    public async Task Nothing_that_it_starts_outlives_its_time(int seconds, string command, string said)
    {
        // The function as it stands there, with seconds in place of an hour.
        var script = await File.ReadAllTextAsync(Path.Combine(Root(), "test"), Stop);
        var begin = script.IndexOf("limited() {", StringComparison.Ordinal);
        var limited = script[begin..(script.IndexOf("\n}\n", begin, StringComparison.Ordinal) + 3)];

        var (exitCode, output, error) = await RunProgramAsync(
            "bash", "-c", $"TEST_ENDS=$(($(date +%s) + {seconds}))\n{limited}limited {command}");

        Assert.Equal((124, said, ""), (exitCode, output.TrimEnd('\n'), error));
    }

    private static void AssertHasAllNames(string output)
    {
        var projects = Directory.GetDirectories(Path.Combine(Root(), "tests"), "*.Tests").Select(Path.GetFileName);
        Assert.Equal(
            projects.Concat(["admin-ui", "format", "infra"]).Order(StringComparer.Ordinal),
            output.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal)).Select(line => line.Trim())
                .Order(StringComparer.Ordinal));
    }

    private static Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] names) =>
        RunProgramAsync(Path.Combine(Root(), "test"), names);

    private static async Task<(int ExitCode, string Output, string Error)> RunProgramAsync(
        string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Stop);
        var error = process.StandardError.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop).WithPatience();
        return (process.ExitCode, await output, await error);
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(file)))!; // this file is two folders below
}
