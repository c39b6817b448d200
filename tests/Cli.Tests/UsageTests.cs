namespace FeedbackLoop.Cli;

/// <summary>The command line without a database.</summary>
public sealed class UsageTests
{
    [Fact]
    public async Task Help_lists_the_commands_and_an_example_of_each()
    {
        var result = await RunAsync("--help");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("feedbackloop [command] [options]", result.Output, StringComparison.Ordinal);
        Assert.Contains("  feedbackloop import extractions.jsonl", result.Output, StringComparison.Ordinal);
        Assert.Contains("  feedbackloop migrate --database postgres://", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("migrate", "--with-knowledge-tables")]
    [InlineData("import", "--reviewed-share <0..1>")]
    public async Task The_help_of_a_command_ends_with_examples_and_exit_codes(string command, string option)
    {
        var result = await RunAsync(command, "--help");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains(option, result.Output, StringComparison.Ordinal);
        Assert.Matches($"Examples:\n(  .*feedbackloop {command} .*\n)+\nExit codes:\n  0 done, 2 .*\n$", result.Output);
    }

    [Fact]
    public async Task The_version_is_told() => Assert.Matches(@"^\d+\.\d+", (await RunAsync("--version")).Output);

    [Theory]
    [InlineData("Required command was not provided.", "feedbackloop --help")]
    [InlineData("'frobnicate' is not known here", "feedbackloop --help", "frobnicate")]
    [InlineData("'--frob' is not known here", "feedbackloop migrate --help", "migrate", "--frob")]
    [InlineData("Required argument missing for command: 'import'.", "feedbackloop import --help", "import")]
    [InlineData("Required command was not provided.", "feedbackloop schedule --help", "schedule")]
    public async Task A_wrong_command_line_exits_with_2(string problem, string help, params string[] args)
    {
        var result = await RunAsync(args);

        Assert.Equal((2, "", $"error: {problem}\nSee: {help}\n"), (result.ExitCode, result.Output, result.Error));
    }

    [Theory]
    [InlineData("--reviewed-share", "40%")]
    [InlineData("--confidence-from", "1.5")]
    [InlineData("--rejected-share", "NaN")]
    public async Task A_share_that_is_none_exits_with_2(string option, string value)
    {
        var result = await RunAsync("import", "file", option, value);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith(
            $"error: {option} must be a number from 0 to 1, not '{value}'\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_gets_wrong_usage_as_an_object_too()
    {
        var result = await RunAsync("import", "--json");

        Assert.Equal(2, result.ExitCode);
        Assert.Equal(2, result.Json.GetProperty("exitCode").GetInt32());
        Assert.Equal("See: feedbackloop import --help", result.Json.GetProperty("remedy").GetString());
    }

    [Theory]
    [InlineData("migrate")]
    [InlineData("import", "-")]
    public async Task A_command_without_a_database_says_how_to_name_one(params string[] args)
    {
        var result = await RunAsync(args);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith(
            "error: no database is named\nPass --database postgres://", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_is_never_repeated()
    {
        var result = await RunAsync("migrate", "--database", "postgres//user:secret@host/db");

        Assert.Equal(2, result.ExitCode);
        Assert.DoesNotContain("secret", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Database=d;Username=u")]
    [InlineData("postgres://u@127.0.0.1:1/d")]
    public async Task An_unreachable_database_exits_with_4(string database)
    {
        var result = await RunAsync("migrate", "--database", database);

        Assert.Equal(4, result.ExitCode);
        Assert.Equal(
            "error: the database cannot be reached: Failed to connect to 127.0.0.1:1\n"
            + "Check host and port of --database or DATABASE_URL, and that the server is running.\n",
            result.Error);
    }

    private static Task<CommandResult> RunAsync(params string[] args) =>
        FeedbackloopProcess.RunAsync(database: null, input: "", args);
}
