using System.CommandLine;

namespace FeedbackLoop.Cli.Commands;

internal sealed record CompletionScript(string Shell, string Script);

/// <summary>A script that lets a shell complete our command lines, by asking the program itself.</summary>
internal sealed class CompletionCommand : OperatorCommand
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        // COMP_WORDBREAKS has ':' and '='; nothing that is suggested holds one.
        ["bash"] =
            """
            _feedbackloop() {
                local IFS=$'\n'
                local suggestions
                suggestions=$(feedbackloop "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
                COMPREPLY=($(compgen -W "${suggestions}" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o bashdefault -o default -F _feedbackloop feedbackloop
            """,
        ["zsh"] =
            """
            _feedbackloop() {
                local -a suggestions
                suggestions=("${(@f)$(feedbackloop "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
                compadd -- "${suggestions[@]}" || _files
            }
            compdef _feedbackloop feedbackloop
            """,
        ["fish"] =
            """
            function __feedbackloop_suggest
                set -l line (commandline -cp)
                feedbackloop "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
            end
            complete -c feedbackloop -a '(__feedbackloop_suggest)'
            """,
        ["powershell"] =
            """
            Register-ArgumentCompleter -Native -CommandName feedbackloop -ScriptBlock {
                param($wordToComplete, $commandAst, $cursorPosition)
                feedbackloop "[suggest:$cursorPosition]" "$commandAst" 2>$null |
                    Where-Object { $_ -like "$wordToComplete*" } |
                    ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
            }
            """,
    };

    private readonly Argument<string> _shell = new("SHELL")
    {
        Description = "Whose script.",
        HelpName = string.Join('|', Scripts.Keys),
    };

    public CompletionCommand()
        : base("completion", "Prints a script that lets a shell complete feedbackloop's commands, options and values.")
    {
        _shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        Arguments.Add(_shell);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "source <(feedbackloop completion bash)",
        "feedbackloop completion zsh >> ~/.zshrc",
        "feedbackloop completion fish > ~/.config/fish/completions/feedbackloop.fish",
        "feedbackloop completion powershell >> $PROFILE",
    ];

    protected override Task<int> RunAsync(
        ParseResult arguments, CommandOutput output, CancellationToken cancellationToken)
    {
        var shell = arguments.GetRequiredValue(_shell);
        output.Result(new CompletionScript(shell, Scripts[shell]), CliJson.Default.CompletionScript, [Scripts[shell]]);
        return Task.FromResult(ExitCode.Done);
    }
}
