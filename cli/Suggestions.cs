using System.CommandLine;
using System.Globalization;

namespace FeedbackLoop.Cli;

/// <summary>
/// The directive <c>[suggest:POSITION]</c> of System.CommandLine, by which a shell asks what could be typed next. The
/// library answers it for its own root command only, which would take its name from the program's file.
/// </summary>
internal static class Suggestions
{
    /// <param name="position">Of the cursor, in characters; null for the end of the line.</param>
    public static bool TryParse(string argument, out int? position)
    {
        position = null;
        if (argument == "[suggest]")
        {
            return true;
        }

        if (!argument.StartsWith("[suggest:", StringComparison.Ordinal) || argument[^1] != ']'
            || !int.TryParse(argument["[suggest:".Length..^1], CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        position = number;
        return true;
    }

    /// <summary>One suggestion a line.</summary>
    /// <param name="line">The whole command line as it was typed.</param>
    public static void Write(Command root, string line, int? position)
    {
        var at = Math.Clamp(position ?? line.Length, 0, line.Length);
        foreach (var suggestion in root.Parse(line).GetCompletions(at))
        {
            Console.Out.WriteLine(suggestion.InsertText ?? suggestion.Label);
        }
    }
}
