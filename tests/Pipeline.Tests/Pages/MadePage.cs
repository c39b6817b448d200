using System.Text.RegularExpressions;

namespace FeedbackLoop.Pipeline.Tests.Pages;

/// <summary>
/// A page of <c>docs/</c> with parts that a test makes. Each stands between the lines <c>&lt;!-- made: NAME --&gt;</c> and
/// <c>&lt;!-- end --&gt;</c>; what is around them is written by hand.
/// </summary>
internal static partial class MadePage
{
    /// <summary>Set to anything, the tests write the parts anew instead of comparing them.</summary>
    public const string RenewVariable = "RENEW_PAGES";

    /// <summary>The checkout that these tests were built from.</summary>
    public static string Root { get; } = FindRoot(new DirectoryInfo(AppContext.BaseDirectory));

    /// <param name="parts">All that the page must have, by name, without a line break at the end.</param>
    public static void Check(string name, IReadOnlyDictionary<string, string> parts)
    {
        var file = Path.Combine(Root, "docs", name);
        var page = File.ReadAllText(file);
        Assert.Equal(parts.Keys.Order(), Part().Matches(page).Select(part => part.Groups["name"].Value).Order());

        var made = Part().Replace(page, part => $"{part.Groups["begin"].Value}\n{parts[part.Groups["name"].Value]}\n<!-- end -->");

        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable(RenewVariable)))
        {
            File.WriteAllText(file, made);
            return;
        }

        foreach (var (part, content) in parts)
        {
            Assert.True(
                page.Contains($"<!-- made: {part} -->\n{content}\n<!-- end -->", StringComparison.Ordinal),
                $"docs/{name} is not what the code says in its part '{part}', which is now:\n{content}\n"
                + $"Run this test with {RenewVariable}=1, look at the difference, commit it.");
        }
    }

    private static string FindRoot(DirectoryInfo? directory) => directory switch
    {
        null => throw new InvalidOperationException($"Functions.sln is not above {AppContext.BaseDirectory}"),
        _ when File.Exists(Path.Combine(directory.FullName, "Functions.sln")) => directory.FullName,
        _ => FindRoot(directory.Parent),
    };

    [GeneratedRegex("(?<begin><!-- made: (?<name>[^\n]+) -->)\n.*?<!-- end -->", RegexOptions.Singleline)]
    private static partial Regex Part();
}
