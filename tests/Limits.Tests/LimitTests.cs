using System.Diagnostics;

namespace FeedbackLoop.Testing;

/// <summary>What hangs is ended and named, in a program of its own with a limit of two seconds.</summary>
public sealed class LimitTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_test_that_takes_too_long_is_cancelled_and_fails_by_name()
    {
        var (exitCode, output) = await RunAsync("*One_that_waits*", graceSeconds: 600);

        Assert.Equal(1, exitCode);
        Assert.Contains("One_that_waits_for_what_never_comes has taken its limit of 00:00:02 and is cancelled", output, StringComparison.Ordinal);
        Assert.Contains("One_that_waits_for_what_never_comes [FAIL]", output, StringComparison.Ordinal);
        Assert.Contains("Total: 1, Errors: 0, Failed: 1", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("One_that_does_not_listen")]
    [InlineData("One_that_never_awaits")]
    [InlineData("One_that_awaits_and_does_not_listen")]
    [InlineData("One_that_never_begins")]
    public async Task A_test_that_cannot_be_cancelled_ends_the_program_and_is_named(string test)
    {
        var (exitCode, output) = await RunAsync($"*{test}*");

        Assert.Equal(86, exitCode);
        Assert.Contains($"{test} has taken more than its limit of 00:00:02", output, StringComparison.Ordinal);
    }

    /// <param name="graceSeconds">Null: as short as the limit wants it, since nothing comes of waiting.</param>
    private static async Task<(int ExitCode, string Output)> RunAsync(string method, int? graceSeconds = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["-noColor", "-explicit", "only", "-method", method])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TEST_LIMIT_SECONDS"] = "2";
        start.Environment["TEST_GRACE_SECONDS"] = $"{graceSeconds}";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Stop);
        var error = process.StandardError.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop).WithPatience();
        return (process.ExitCode, await output + await error);
    }
}
