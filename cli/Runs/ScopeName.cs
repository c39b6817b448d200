namespace FeedbackLoop.Cli.Runs;

/// <summary>A scope as people read it.</summary>
internal static class ScopeName
{
    /// <summary>Names, or an id where the product has no name any more.</summary>
    public static string Of(Guid organizationId, string? organization, Guid? projectId, string? project) =>
        (organization, project) switch
        {
            ({ } of, { } name) => $"{of} / {name}",
            ({ } of, null) when projectId is null => of,
            _ => $"{projectId ?? organizationId}",
        };
}
