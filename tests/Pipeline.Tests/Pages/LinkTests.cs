using System.Text.RegularExpressions;

namespace FeedbackLoop.Pipeline.Tests.Pages;

/// <summary>Links between the pages of this repository.</summary>
public sealed partial class LinkTests
{
    private static readonly string[] Elsewhere = ["/node_modules/", "/bin/", "/obj/", "/.local/", "/.git/"];

    [Fact]
    public void Every_link_to_a_file_leads_to_one()
    {
        var broken = Pages().SelectMany(page => Link().Matches(File.ReadAllText(page))
            .Select(link => link.Groups["to"].Value.Split('#')[0])
            .Where(to => to.Length > 0 && !to.Contains(':', StringComparison.Ordinal))
            .Where(to => !Path.Exists(Path.Combine(Path.GetDirectoryName(page)!, to)))
            .Select(to => $"{page[(MadePage.Root.Length + 1)..]} → {to}"));

        Assert.Empty(broken);
    }

    [Fact]
    public void Every_decision_is_in_the_index_and_has_its_four_parts()
    {
        var folder = Path.Combine(MadePage.Root, "docs", "decisions");
        var files = Directory.EnumerateFiles(folder, "0*.md").Order(StringComparer.Ordinal).ToList();

        Assert.Equal(
            files.Select(file => $"- [{File.ReadLines(file).First()[2..]}]({Path.GetFileName(file)})").Order(),
            File.ReadLines(Path.Combine(folder, "README.md")).Where(line => line.StartsWith("- ", StringComparison.Ordinal)).Order());
        Assert.All(files, file => Assert.Equal(
            ["## Context", "## Decision", "## Consequences", "## What would change our minds"],
            File.ReadLines(file).Where(line => line.StartsWith("## ", StringComparison.Ordinal))));
    }

    private static IEnumerable<string> Pages() => new[] { "docs", "infra", "local", "bench", "clients", "compat" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(MadePage.Root, folder), "*.md", SearchOption.AllDirectories))
        .Where(file => !Elsewhere.Any(part => file.Contains(part, StringComparison.Ordinal)))
        .Append(Path.Combine(MadePage.Root, "README.md"));

    [GeneratedRegex(@"\]\((?<to>[^)\s]+)\)")]
    private static partial Regex Link();
}
