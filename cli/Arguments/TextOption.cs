using System.CommandLine;

namespace FeedbackLoop.Cli.Arguments;

/// <summary>Options that take a text of bounded length.</summary>
internal static class TextOption
{
    public static Option<string?> Create(string name, string description, string helpName, int maxLength) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value.Trim();
            var problem = text.Length switch
            {
                0 => $"{name} is empty",
                _ when text.Length > maxLength =>
                    $"{name} must have at most {maxLength} characters, not {text.Length}",
                _ when text.Any(char.IsControl) => $"{name} must be one line of plain text",
                _ => null,
            };
            if (problem is not null)
            {
                result.AddError(problem);
            }

            return text;
        },
    };

    /// <summary>Why a person does something; it stands in the audit log and on the row.</summary>
    public static Option<string?> Reason(string description)
    {
        var option = Create("--reason", description, "TEXT", maxLength: 500);
        option.Required = true;
        return option;
    }
}
