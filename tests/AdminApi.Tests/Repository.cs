namespace FeedbackLoop.AdminApi.Tests;

/// <summary>The checkout that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo? directory) => directory switch
    {
        null => throw new InvalidOperationException($"Functions.sln is not above {AppContext.BaseDirectory}"),
        _ when File.Exists(Path.Combine(directory.FullName, "Functions.sln")) => directory.FullName,
        _ => Find(directory.Parent),
    };
}
