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

    private static void AssertHasAllNames(string output)
    {
        var projects = Directory.GetDirectories(Path.Combine(Root(), "tests"), "*.Tests").Select(Path.GetFileName);
        Assert.Equal(
            projects.Concat(["admin-ui", "format", "infra"]).Order(StringComparer.Ordinal),
            output.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal)).Select(line => line.Trim())
                .Order(StringComparer.Ordinal));
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] names)
    {
        var start = new ProcessStartInfo(Path.Combine(Root(), "test"), names)
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
