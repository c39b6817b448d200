using System.Text.RegularExpressions;

namespace FeedbackLoop.Database.Tests;

/// <summary>A line of the list in <c>docs/architecture.md</c>.</summary>
/// <param name="Table">With its schema.</param>
/// <param name="Columns">Sorted.</param>
/// <param name="IsOfTenant">Rows of the session's organizations alone; else all.</param>
internal sealed record ReadTable(string Table, IReadOnlyList<string> Columns, bool IsOfTenant);

/// <summary>What the documents say that the API's login reads of the product.</summary>
internal static partial class ProductReadingList
{
    private const string Heading = "## What the admin API reads of the product";
    private const string OfTenant = "of the session's organizations";

    public static IReadOnlyList<ReadTable> Read()
    {
        var lines = File.ReadAllLines(Path.Combine(Root(), "docs", "architecture.md"))
            .SkipWhile(line => line != Heading)
            .Skip(1)
            .TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal));
        return [.. lines.Select(Parse)];
    }

    private static ReadTable Parse(string line)
    {
        var cells = line.Trim('|').Split('|', StringSplitOptions.TrimEntries);
        Assert.Equal(3, cells.Length);
        Assert.True(cells[2] == OfTenant || cells[2].StartsWith("all: ", StringComparison.Ordinal), line);
        return new(
            cells[0].Trim('`'),
            [.. Name().Matches(cells[1]).Select(match => match.Groups[1].Value).Order(StringComparer.Ordinal)],
            cells[2] == OfTenant);
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Functions.sln")))
        {
            directory = directory.Parent
                ?? throw new InvalidOperationException($"Functions.sln is not above {AppContext.BaseDirectory}");
        }

        return directory.FullName;
    }

    [GeneratedRegex("`([a-z_]+)`")]
    private static partial Regex Name();
}
