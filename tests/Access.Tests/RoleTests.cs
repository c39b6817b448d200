using FeedbackLoop.Runs;

namespace FeedbackLoop.Access.Tests;

/// <summary>What a person may do. Organizations A and B; projects A1 and A2 of A, B1 of B.</summary>
public sealed class RoleTests
{
    [Theory]
    // Nobody's.
    [InlineData("", "A", ScopeRole.None)]
    [InlineData("", "A1", ScopeRole.None)]
    // An organization's admin: it and all its projects, and nothing of others.
    [InlineData("A org_admin", "A", ScopeRole.Admin)]
    [InlineData("A org_admin", "A1", ScopeRole.Admin)]
    [InlineData("A org_admin", "A2", ScopeRole.Admin)]
    [InlineData("A org_admin", "B", ScopeRole.None)]
    [InlineData("A org_admin", "B1", ScopeRole.None)]
    // Its other members: read what is the organization's own.
    [InlineData("A org_member", "A", ScopeRole.Member)]
    [InlineData("A org_member", "A1", ScopeRole.None)]
    [InlineData("A org_member", "B", ScopeRole.None)]
    [InlineData("A ", "A", ScopeRole.Member)]
    // Words are compared exactly, and count only where they belong.
    [InlineData("A ORG_ADMIN", "A", ScopeRole.Member)]
    [InlineData("A org_admin ", "A", ScopeRole.Member)]
    [InlineData("A project_admin", "A", ScopeRole.Member)]
    [InlineData("A project_admin", "A1", ScopeRole.None)]
    [InlineData("A1 org_admin", "A1", ScopeRole.Member)]
    [InlineData("A1 org_admin", "A", ScopeRole.None)]
    [InlineData("A1 org_admin", "A2", ScopeRole.None)]
    // A project's admin: that project only.
    [InlineData("A1 project_admin", "A1", ScopeRole.Admin)]
    [InlineData("A1 project_admin", "A2", ScopeRole.None)]
    [InlineData("A1 project_admin", "A", ScopeRole.None)]
    [InlineData("A1 project_admin", "B1", ScopeRole.None)]
    // A project's other members.
    [InlineData("A1 project_user", "A1", ScopeRole.Member)]
    [InlineData("A1 project_viewer", "A1", ScopeRole.Member)]
    [InlineData("A1 project_viewer", "A2", ScopeRole.None)]
    [InlineData("A1 project_viewer", "A", ScopeRole.None)]
    [InlineData("A1 ", "A1", ScopeRole.Member)]
    // Several: the best that applies.
    [InlineData("A org_member, A1 project_viewer", "A", ScopeRole.Member)]
    [InlineData("A org_member, A1 project_viewer", "A1", ScopeRole.Member)]
    [InlineData("A org_member, A1 project_viewer", "A2", ScopeRole.None)]
    [InlineData("A org_member, A1 project_admin", "A1", ScopeRole.Admin)]
    [InlineData("A org_member, A1 project_admin", "A", ScopeRole.Member)]
    [InlineData("A org_admin, A1 project_viewer", "A1", ScopeRole.Admin)]
    [InlineData("A1 project_viewer, A org_admin", "A1", ScopeRole.Admin)]
    [InlineData("A org_admin, B1 project_viewer", "B1", ScopeRole.Member)]
    [InlineData("A org_admin, B1 project_viewer", "B", ScopeRole.None)]
    [InlineData("A org_admin, B org_member", "B1", ScopeRole.None)]
    [InlineData("A1 project_admin, A2 project_viewer", "A2", ScopeRole.Member)]
    public void A_person_has_the_best_role_that_applies(string memberships, string scope, ScopeRole expected)
    {
        var places = memberships.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(Parse).ToArray();
        var person = new Person(IdOf("person"), "ada", "Ada", places);

        Assert.Equal(expected, person.RoleIn(ScopeOf(scope)));
    }

    [Theory]
    [InlineData("A1 project_admin")]
    [InlineData("B org_member, A1 project_admin")]
    public void A_project_under_a_wrong_organization_is_nobodys(string memberships)
    {
        var places = memberships.Split(", ").Select(Parse).ToArray();
        var person = new Person(IdOf("person"), "ada", "Ada", places);

        Assert.Equal(ScopeRole.None, person.RoleIn(new Scope(IdOf("B"), IdOf("A1"))));
    }

    [Fact]
    public void A_higher_role_includes_the_lower()
    {
        Assert.True(ScopeRole.Admin > ScopeRole.Member);
        Assert.True(ScopeRole.Member > ScopeRole.None);
        Assert.Equal(ScopeRole.None, default);
    }

    private static Membership Parse(string text)
    {
        var scope = ScopeOf(text[..text.IndexOf(' ', StringComparison.Ordinal)]);
        return new(
            scope.OrganizationId, scope.ProjectId, text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
    }

    private static Scope ScopeOf(string name) => new(IdOf(name[..1]), name.Length == 1 ? null : IdOf(name));

    private static Guid IdOf(string name)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Text.Encoding.ASCII.GetBytes(name, bytes);
        return new Guid(bytes);
    }
}
