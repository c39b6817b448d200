using System.Globalization;
using System.Text.RegularExpressions;

namespace FeedbackLoop.Cli;

/// <summary>A command of a <c>console</c> block, and what the page says about it.</summary>
/// <param name="Section">The heading above it.</param>
internal sealed partial record ConsoleExample(string Section, string Command, string Output, int ExitCode)
{
    /// <summary>The examples of a page, in their order.</summary>
    public static IEnumerable<ConsoleExample> Read(string page)
    {
        var (section, isConsole) = ("", false);
        ConsoleExample? current = null;
        foreach (var line in page.Split('\n'))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                if (current is not null)
                {
                    yield return current;
                }

                (isConsole, current) = (line == "```console", null);
            }
            else if (!isConsole)
            {
                section = line.StartsWith("## ", StringComparison.Ordinal) ? line[3..] : section;
            }
            else if (line.StartsWith("$ ", StringComparison.Ordinal))
            {
                if (current is not null)
                {
                    yield return current;
                }

                current = new ConsoleExample(section, line[2..], "", 0);
            }
            else if (ExitLine().Match(line) is { Success: true } exit)
            {
                current = Of(current) with { ExitCode = int.Parse(exit.Groups[1].Value, CultureInfo.InvariantCulture) };
            }
            else
            {
                current = Of(current) with { Output = Of(current).Output + line + "\n" };
            }
        }

        static ConsoleExample Of(ConsoleExample? example) =>
            example ?? throw new FormatException("a console block begins with a command");
    }

    /// <summary>What the output must look like: words as they stand, the rest of its kind.</summary>
    public Regex Expected()
    {
        var pattern = Varying().Replace(Output.TrimEnd('\n'), match => match switch
        {
            { Groups: [_, { Success: true }, ..] } => "[0-9a-f-]{36}",
            { Groups: [_, _, { Success: true }, ..] } => "[0-9][0-9.,]*",
            { Groups: [_, _, _, { Success: true }, ..] } => ".*",
            { Groups: [_, _, _, _, { Success: true }, ..] } => " +",
            { Groups: [_, _, _, _, _, { Success: true }, ..] } => @"\S*/",
            _ => Regex.Escape(match.Value),
        });
        return new Regex($"^{pattern}$", RegexOptions.Singleline);
    }

    [GeneratedRegex(
        """
        ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})|([0-9][0-9.,]*[0-9]|[0-9])|(…)|(\ +)|(/somewhere/)|(.|\n)
        """,
        RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Varying();

    [GeneratedRegex(@"^\[exit (\d+)\]$")]
    private static partial Regex ExitLine();
}
