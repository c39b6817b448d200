using System.CommandLine;
using System.Globalization;

namespace FeedbackLoop.Cli;

/// <summary>An option that takes a number from 0 to 1.</summary>
internal static class ShareOption
{
    public static Option<double> Create(string name, string description, double defaultValue) => new(name)
    {
        Description = description,
        HelpName = "0..1",
        DefaultValueFactory = _ => defaultValue,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share)
                && share is >= 0 and <= 1)
            {
                return share;
            }

            result.AddError($"{name} must be a number from 0 to 1, not '{text}'");
            return defaultValue;
        },
    };
}
