namespace FeedbackLoop.Knowledge.Import;

/// <summary>A person in <c>core.user_profiles</c> to whom imported reviews are ascribed.</summary>
internal sealed record Reviewer(Guid Id, string ExternalId, string Name);

internal static class Reviewers
{
    public static IReadOnlyList<Reviewer> All { get; } =
    [
        Create("import-reviewer-1", "Import Reviewer 1"),
        Create("import-reviewer-2", "Import Reviewer 2"),
        Create("import-reviewer-3", "Import Reviewer 3"),
    ];

    private static Reviewer Create(string externalId, string name) =>
        new(NameBasedId.Create(Guid.Empty, "reviewer", externalId), externalId, name);
}
