namespace FeedbackLoop.Runs;

/// <summary>
/// The scopes that a caller may see, in the form that a query filters by: a row passes when its organization is one of
/// <paramref name="WholeOrganizations"/>, or it is a general one of <paramref name="Organizations"/>, or its project is one
/// of <paramref name="Projects"/>.
/// </summary>
/// <param name="WholeOrganizations">Seen with all their projects.</param>
/// <param name="Organizations">Seen as far as they have no project: general models and their runs.</param>
public sealed record ScopeFilter(Guid[] WholeOrganizations, Guid[] Organizations, Guid[] Projects)
{
    /// <summary>The condition on columns <c>organization_id</c> and <c>project_id</c>; its parameters are this record's.</summary>
    public const string Condition =
        """
        (organization_id = any(@WholeOrganizations)
         or (project_id is null and organization_id = any(@Organizations))
         or project_id = any(@Projects))
        """;

    /// <summary>One scope only.</summary>
    public static ScopeFilter Of(Scope scope) => scope.ProjectId is { } project
        ? new ScopeFilter([], [], [project])
        : new ScopeFilter([], [scope.OrganizationId], []);
}

/// <summary>Where the next page of a list begins: after the row of this time and id, newest first.</summary>
public readonly record struct PageKey(DateTimeOffset CreatedAt, Guid Id);
