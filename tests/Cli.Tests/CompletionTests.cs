namespace FeedbackLoop.Cli;

/// <summary>Completion, up to a bash that has sourced the script.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("feedbackloop train", "train-general-model train-project-model training-status")]
    [InlineData("feedbackloop list-models --status dep", "deprecated")]
    [InlineData("feedbackloop train-project-model --pii ", "allow exclude redact")]
    [InlineData("feedbackloop train-general-model --ada", "--adapter-size")]
    [InlineData("feedbackloop train-general-model --adapter-size 1", "1 16")]
    [InlineData("feedbackloop completion power", "powershell")]
    public async Task Bash_completes_commands_options_and_values(string line, string expected)
    {
        var program = string.Join(' ', FeedbackloopProcess.Program.Select(word => $"'{word}'"));
        var script =
            $$"""
            feedbackloop() { {{program}} "$@"; }
            source <(feedbackloop completion bash)
            complete -p feedbackloop > /dev/null || exit 1
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
            COMP_WORDS=({{line}}{{(line.EndsWith(' ') ? " ''" : "")}}) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _feedbackloop
            printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' '
            """;
        using var bash = FeedbackloopProcess.Start(new Dictionary<string, string?>(), ["bash", "-c", script]);

        var result = await bash.WaitAsync();

        Assert.Equal((0, $"{expected}\n", ""), (result.ExitCode, result.Output, result.Error));
    }

    [Theory]
    [InlineData("bash", "complete -o bashdefault -o default -F _feedbackloop feedbackloop")]
    [InlineData("zsh", "compdef _feedbackloop feedbackloop")]
    [InlineData("fish", "complete -c feedbackloop -a '(__feedbackloop_suggest)'")]
    [InlineData("powershell", "Register-ArgumentCompleter -Native -CommandName feedbackloop")]
    public async Task Every_shell_has_a_script_that_asks_the_program(string shell, string registration)
    {
        var plain = await FeedbackloopProcess.RunAsync(database: null, "", "completion", shell);
        var json = await FeedbackloopProcess.RunAsync(database: null, "", "completion", shell, "--json");

        Assert.Equal((0, ""), (plain.ExitCode, plain.Error));
        Assert.Contains(registration, plain.Output, StringComparison.Ordinal);
        Assert.Contains("[suggest:", plain.Output, StringComparison.Ordinal);
        Assert.Equal(plain.Output.TrimEnd(), json.Json.GetProperty("script").GetString());
    }

    [Theory]
    [InlineData("[suggest:x]")]
    [InlineData("[suggest:3")]
    [InlineData("[other]")]
    public async Task What_only_looks_like_the_directive_is_a_wrong_command_line(string word) =>
        Assert.Equal(2, (await FeedbackloopProcess.RunAsync(database: null, "", word)).ExitCode);

    [Fact]
    public async Task A_cursor_beyond_the_line_stands_at_its_end() => Assert.Contains(
        "list-models\n", (await FeedbackloopProcess.RunAsync(database: null, "", "[suggest:99]", "feedbackloop li")).Output,
        StringComparison.Ordinal);
}
