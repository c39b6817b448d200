using FeedbackLoop.Runs;

namespace FeedbackLoop.Access;

/// <summary>The product's words for roles; any other word makes a member.</summary>
public static class MembershipRole
{
    public const string OrganizationAdmin = "org_admin";
    public const string ProjectAdmin = "project_admin";
}

/// <summary>A person's place in an organization, or in one of its projects.</summary>
/// <param name="ProjectId">Null for the organization itself.</param>
/// <param name="Role">As the product wrote it; compared exactly.</param>
public sealed record Membership(Guid OrganizationId, Guid? ProjectId, string Role);

/// <summary>Who is calling, and where that person belongs at this moment.</summary>
/// <param name="Id">Of <c>core.user_profiles</c>.</param>
/// <param name="Subject">The token's <c>sub</c>.</param>
/// <param name="Memberships">In live organizations and live projects only, organizations first.</param>
public sealed record Person(Guid Id, string Subject, string DisplayName, IReadOnlyList<Membership> Memberships)
{
    /// <summary>
    /// An organization's admin is admin of all its projects. Its other members read what belongs to the organization and get
    /// into a project only by a membership there, which in turn shows nothing of the organization.
    /// </summary>
    /// <param name="scope">
    /// As the database has it: a project with the organization that its row names. With an organization out of the request,
    /// the admin of one organization would be admin of every project there is.
    /// </param>
    public ScopeRole RoleIn(Scope scope) =>
        Memberships.Select(membership => RoleBy(membership, scope)).DefaultIfEmpty(ScopeRole.None).Max();

    private static ScopeRole RoleBy(Membership membership, Scope scope) => membership switch
    {
        _ when membership.OrganizationId != scope.OrganizationId => ScopeRole.None,
        { ProjectId: null, Role: MembershipRole.OrganizationAdmin } => ScopeRole.Admin,
        _ when membership.ProjectId != scope.ProjectId => ScopeRole.None,
        { ProjectId: not null, Role: MembershipRole.ProjectAdmin } => ScopeRole.Admin,
        _ => ScopeRole.Member,
    };
}
