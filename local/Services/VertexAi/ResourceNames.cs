using System.Globalization;
using System.Text.RegularExpressions;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>The names of Vertex AI, taken apart.</summary>
internal static partial class ResourceNames
{
    /// <returns>Null for anything but <c>projects/P/locations/L</c>.</returns>
    public static (string Project, string Location)? Parent(string name) =>
        ParentPattern().Match(name) is { Success: true } match ? (match.Groups[1].Value, match.Groups[2].Value) : null;

    /// <param name="collection">As <c>tuningJobs</c> or <c>endpoints</c>.</param>
    /// <returns>Null for anything but <c>projects/P/locations/L/COLLECTION/ID</c>.</returns>
    public static (string Project, string Location, string Id)? Child(string name, string collection) =>
        ChildPattern().Match(name) is { Success: true } match && match.Groups[3].Value == collection
            ? (match.Groups[1].Value, match.Groups[2].Value, match.Groups[4].Value)
            : null;

    /// <summary>
    /// The number that the service writes where a caller wrote the project's id. A number stays as it is.
    /// </summary>
    public static string ProjectNumber(string project)
    {
        if (project.All(char.IsAsciiDigit))
        {
            return project;
        }

        var hash = project.Aggregate(14695981039346656037UL, (hash, c) => (hash ^ c) * 1099511628211UL);
        return (100_000_000_000 + (hash % 900_000_000_000)).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// Whether an endpoint made in a region answers at a location: at its own, and at the multi-region around it.
    /// </summary>
    public static bool Serves(string region, string location) =>
        location == region
        || (location == "us" && region.StartsWith("us-", StringComparison.Ordinal))
        || (location == "eu" && region.StartsWith("europe-", StringComparison.Ordinal));

    [GeneratedRegex("^projects/([^/]+)/locations/([^/]+)$")]
    private static partial Regex ParentPattern();

    [GeneratedRegex("^projects/([^/]+)/locations/([^/]+)/([A-Za-z]+)/([^/]+)$")]
    private static partial Regex ChildPattern();
}
