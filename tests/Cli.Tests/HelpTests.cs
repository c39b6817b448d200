using System.CommandLine;

namespace FeedbackLoop.Cli;

/// <summary>Every command, also one that comes later: enumerated from the root command.</summary>
public sealed class HelpTests
{
    private const string Id = "0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10";
    private const string Long = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

    public static TheoryData<string> Commands =>
        [.. FeedbackloopCommand.Leaves(FeedbackloopCommand.Create(TimeProvider.System)).Select(WordsOf)];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task The_help_of_every_command_ends_with_examples_and_its_exit_codes(string command)
    {
        var result = await FeedbackloopProcess.RunAsync(database: null, "", [.. command.Split(' '), "--help"]);

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Matches(
            $@"Examples:\n(  .*feedbackloop {command} .*\n|  feedbackloop {command}\n)+\nExit codes:\n(  \d .*\n)+\n?$",
            result.Output);
        Assert.All(
            (string[])["--json", "--database", "--settings"],
            option => Assert.Contains(option, result.Output, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Every_example_in_a_help_can_be_parsed(string command)
    {
        var root = FeedbackloopCommand.Create(TimeProvider.System);
        CommandRunner.AddGlobalOptions(root);
        var leaf = FeedbackloopCommand.Leaves(root).Single(c => WordsOf(c) == command);

        foreach (var example in leaf.Examples)
        {
            // Without what is the shell's: variables in front, redirections behind.
            var words = example[example.IndexOf("feedbackloop", StringComparison.Ordinal)..].Split('>')[0].TrimEnd(')');
            Assert.Empty(root.Parse(words).Errors);
        }
    }

    [Theory]
    [InlineData("--epochs must be a whole number from 1 to 100, not '0'", "--epochs", "0")]
    [InlineData("--epochs must be a whole number from 1 to 100, not '101'", "--epochs", "101")]
    [InlineData("--epochs must be a whole number from 1 to 100, not '2.5'", "--epochs", "2.5")]
    [InlineData("--learning-rate-multiplier must be a number from 0.001 to 10, not '11'", "--learning-rate-multiplier", "11")]
    [InlineData("--learning-rate-multiplier must be a number from 0.001 to 10, not 'NaN'", "--learning-rate-multiplier", "NaN")]
    [InlineData("--adapter-size must be one of 1, 2, 4, 8, 16, not '3'", "--adapter-size", "3")]
    [InlineData("--min-confidence must be a number from 0 to 1, not '1.01'", "--min-confidence", "1.01")]
    [InlineData("--validation-share must be a number from 0 to 0.23, not '0.5'", "--validation-share", "0.5")]
    [InlineData("--min-examples must be a whole number from 1 to 1000000, not '0'", "--min-examples", "0")]
    [InlineData("--pii must be one of exclude, redact, allow, not '1'", "--pii", "1")]
    [InlineData("--base-model must have at most 100 characters, not 101", "--base-model", Long)]
    [InlineData("--idempotency-key must have at most 200 characters, not 202", "--idempotency-key", Long + Long)]
    [InlineData("--idempotency-key is empty", "--idempotency-key", " ")]
    [InlineData(
        "--seed must be a whole number from -9223372036854775808 to 9223372036854775807, not '9223372036854775808'",
        "--seed", "9223372036854775808")]
    public void A_parameter_beyond_its_limits_is_named_with_limit_and_value(string problem, params string[] args) =>
        Assert.Equal([problem], Errors(["train-general-model", "--organization", Id, .. args]));

    [Theory]
    [InlineData("Option '--organization' is required.", "train-general-model")]
    [InlineData("Option '--project' is required.", "train-project-model")]
    [InlineData("Option '--project' is required.", "select-model")]
    [InlineData("--project must be an id such as 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10, not 'x'", "select-model", "--project", "x")]
    [InlineData("RUN must be an id such as 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10, not 'x'", "training-status", "x")]
    [InlineData("--watch needs the id of a run", "training-status", "--watch")]
    [InlineData("--limit is for the list of runs; leave it out, or leave out the id", "training-status", Id, "--limit", "2")]
    [InlineData("--limit must be a whole number from 1 to 1000, not '0'", "list-models", "--limit", "0")]
    [InlineData("--status must be one of training, ready, failed, deprecated, not 'old'", "list-models", "--status", "old")]
    [InlineData("Give --project or --organization, not both.", "list-models", "--project", Id, "--organization", Id)]
    [InlineData("Give either --project or --organization.", "export-training-data", "--output", "x")]
    [InlineData("Give --organization or --project.", "metrics")]
    [InlineData("Give one of --document, --chunk and --object.", "lineage")]
    [InlineData("Give one of --document, --chunk and --object.", "lineage", "--document", Id, "--chunk", Id)]
    [InlineData("DOCUMENT must be an id such as 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10, not 'x'", "forget-document", "x")]
    [InlineData("--organization must be an id such as 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10, not 'x'", "metrics", "--organization", "x")]
    [InlineData("Option '--reason' is required.", "promote", Id)]
    [InlineData("Option '--reason' is required.", "deprecate", Id)]
    [InlineData("Option '--reason' is required.", "cancel", Id)]
    [InlineData("--reason is empty", "cancel", Id, "--reason", "")]
    [InlineData("--reason must be one line of plain text", "cancel", Id, "--reason", "a\u001b[2Jb")]
    [InlineData("--reason must have at most 500 characters, not 505", "cancel", Id, "--reason", Long + Long + Long + Long + Long)]
    [InlineData("Option '--to' is required.", "upload-training-data", "folder")]
    [InlineData("Required argument missing for command: 'completion'.", "completion")]
    public void A_wrong_command_line_is_explained(string problem, params string[] args) =>
        Assert.Equal([problem], Errors(args));

    [Fact]
    public async Task A_wrong_command_line_exits_with_2()
    {
        var result = await FeedbackloopProcess.RunAsync(
            database: null, "", "train-general-model", "--organization", Id, "--epochs", "500");

        Assert.Equal(
            (2, "", "error: --epochs must be a whole number from 1 to 100, not '500'\n"
                + "See: feedbackloop train-general-model --help\n"),
            (result.ExitCode, result.Output, result.Error));
    }

    /// <summary>What is typed after the program's name.</summary>
    internal static string WordsOf(Command command) => CommandRunner.PathOf(command)["feedbackloop ".Length..];

    private static IEnumerable<string> Errors(string[] args)
    {
        var root = FeedbackloopCommand.Create(TimeProvider.System);
        CommandRunner.AddGlobalOptions(root);
        return root.Parse(args).Errors.Select(error => error.Message);
    }
}
