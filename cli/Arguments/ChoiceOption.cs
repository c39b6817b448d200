using System.CommandLine;

namespace FeedbackLoop.Cli.Arguments;

/// <summary>Options that take one of a few words.</summary>
internal static class ChoiceOption
{
    public static Option<T> Create<T>(string name, string description, T defaultValue)
        where T : struct, Enum
    {
        var words = Enum.GetNames<T>().Select(word => word.ToLowerInvariant()).ToArray();
        var option = new Option<T>(name)
        {
            Description = description,
            HelpName = string.Join('|', words),
            DefaultValueFactory = _ => defaultValue,
            CustomParser = result =>
            {
                // Not the enum's own parser alone: it takes numbers too.
                var text = result.Tokens[0].Value;
                if (words.Contains(text, StringComparer.OrdinalIgnoreCase))
                {
                    return Enum.Parse<T>(text, ignoreCase: true);
                }

                result.AddError($"{name} must be one of {string.Join(", ", words)}, not '{text}'");
                return defaultValue;
            },
        };
        option.CompletionSources.Clear();  // the enum's own spelling
        option.CompletionSources.Add(words);
        return option;
    }

    public static Option<string?> Create(string name, string description, params string[] words)
    {
        var option = new Option<string?>(name)
        {
            Description = $"{description} One of {string.Join(", ", words)}.",
            HelpName = name.TrimStart('-').ToUpperInvariant(),
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (!words.Contains(text))
                {
                    result.AddError($"{name} must be one of {string.Join(", ", words)}, not '{text}'");
                }

                return text;
            },
        };
        option.CompletionSources.Add(words);
        return option;
    }
}
