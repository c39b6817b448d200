namespace FeedbackLoop.AdminApi.Tests;

/// <summary>The kinds of caller, each the subject of its tokens.</summary>
internal static class People
{
    public const string OrganizationAdmin = "organization-admin";
    public const string OrganizationMember = "organization-member";
    public const string ProjectAdmin = "project-admin";
    public const string ProjectMember = "project-member";

    /// <summary>Admin of the other organization.</summary>
    public const string Outsider = "outsider";

    /// <summary>Known to the product, and member of nothing.</summary>
    public const string Nobody = "nobody";

    /// <summary>A good token of a person whom the product does not know.</summary>
    public const string Unknown = "unknown";

    /// <summary>Known, and deleted, with the memberships that are left.</summary>
    public const string Deleted = "deleted";

    /// <summary>No token.</summary>
    public const string Anonymous = "anonymous";

    public static IReadOnlyList<string> All { get; } =
        [Anonymous, Unknown, Deleted, Nobody, Outsider, ProjectMember, ProjectAdmin, OrganizationMember, OrganizationAdmin];
}
