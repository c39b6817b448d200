using System.CommandLine;
using System.CommandLine.Parsing;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Numerics;
using System.Reflection;

namespace FeedbackLoop.Cli.Arguments;

/// <param name="Value">Null: a word instead of a number. An object around it, because the parser takes no null for a value.</param>
/// <param name="Word">Null: a number.</param>
internal sealed record NumberOrWord<T>(T? Value, string? Word)
    where T : struct;

/// <summary>Options that take a number between limits, which their help and their errors name.</summary>
internal static class LimitedOption
{
    public static Option<T> Create<T>(string name, string description, T defaultValue, T min, T max)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = $"{Text(min)}..{Text(max)}",
            DefaultValueFactory = _ => defaultValue,
            CustomParser = result => Parse(result, name, min, max) ?? defaultValue,
        };

    public static Option<T?> CreateOptional<T>(string name, string description, T min, T max)
        where T : struct, INumber<T> => new(name)
        {
            Description = description,
            HelpName = $"{Text(min)}..{Text(max)}",
            CustomParser = result => Parse(result, name, min, max),
        };

    /// <summary>A number, or a word in its place.</summary>
    /// <param name="words">With their meanings, for the help.</param>
    public static Option<NumberOrWord<T>?> CreateOrWord<T>(
        string name, string description, T min, T max, params (string Word, string Meaning)[] words)
        where T : struct, INumber<T>
    {
        string[] known = [.. words.Select(each => each.Word)];
        var meanings = string.Join(", ", words.Select(each => $"{each.Word}: {each.Meaning}"));
        var option = new Option<NumberOrWord<T>?>(name)
        {
            Description = $"{description} {meanings}.",
            HelpName = $"{Text(min)}..{Text(max)}|{string.Join('|', known)}",
            CustomParser = result => known.Contains(result.Tokens[0].Value) ? new(null, result.Tokens[0].Value)
                : Parse(result, name, min, max) is { } number ? new(number, Word: null) : null,
        };
        option.CompletionSources.Add(known);
        return option;
    }

    /// <summary>The limits of a property's <see cref="RangeAttribute"/>: they stand there and nowhere else.</summary>
    public static (T Min, T Max) LimitsOf<T>(Type type, string property)
        where T : struct, INumber<T>
    {
        var range = Property(type, property).GetCustomAttribute<RangeAttribute>()
            ?? throw new InvalidOperationException($"{type.Name}.{property} has no range");
        return (Value(range.Minimum), Value(range.Maximum));

        static T Value(object limit) => (T)Convert.ChangeType(limit, typeof(T), CultureInfo.InvariantCulture);
    }

    /// <summary>An option for one of the values of a property's <see cref="AllowedValuesAttribute"/>.</summary>
    public static Option<int?> CreateOneOf(string name, string description, Type type, string property)
    {
        var allowed = Property(type, property).GetCustomAttribute<AllowedValuesAttribute>()?.Values.OfType<int>().ToArray()
            ?? throw new InvalidOperationException($"{type.Name}.{property} has no list of values");
        var option = new Option<int?>(name)
        {
            Description = description,
            HelpName = string.Join('|', allowed),
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (int.TryParse(text, CultureInfo.InvariantCulture, out var value) && allowed.Contains(value))
                {
                    return value;
                }

                result.AddError($"{name} must be one of {string.Join(", ", allowed)}, not '{text}'");
                return null;
            },
        };
        option.CompletionSources.Add([.. allowed.Select(value => $"{value}")]);
        return option;
    }

    private static PropertyInfo Property(Type type, string property) =>
        type.GetProperty(property) ?? throw new InvalidOperationException($"{type.Name} has no {property}");

    private static T? Parse<T>(ArgumentResult result, string name, T min, T max)
        where T : struct, INumber<T>
    {
        var text = result.Tokens[0].Value;
        if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && value >= min && value <= max)
        {
            return value;
        }

        var kind = T.TryParse("0.5", CultureInfo.InvariantCulture, out _) ? "a number" : "a whole number";
        result.AddError($"{name} must be {kind} from {Text(min)} to {Text(max)}, not '{text}'");
        return null;
    }

    private static string Text<T>(T value)
        where T : INumber<T> => value.ToString(null, CultureInfo.InvariantCulture);
}
