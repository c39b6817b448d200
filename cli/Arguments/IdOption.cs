using System.CommandLine;
using System.CommandLine.Parsing;

namespace FeedbackLoop.Cli.Arguments;

/// <summary>Options and arguments that take the id of a row.</summary>
internal static class IdOption
{
    public static Option<Guid?> Create(string name, string description, params string[] aliases) => new(name, aliases)
    {
        Description = description,
        HelpName = "ID",
        CustomParser = result => Parse(result, name),
    };

    public static Argument<Guid> Argument(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result => Parse(result, name) ?? default,
    };

    public static Argument<Guid?> OptionalArgument(string name, string description) => new(name)
    {
        Description = description,
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = result => result.Tokens.Count == 0 ? null : Parse(result, name),
    };

    private static Guid? Parse(ArgumentResult result, string name)
    {
        var text = result.Tokens[0].Value;
        if (Guid.TryParseExact(text, "D", out var id))
        {
            return id;
        }

        result.AddError($"{name} must be an id such as 0190f1c2-7c1e-7a43-9d0e-3b1a5f4c2d10, not '{text}'");
        return null;
    }
}
