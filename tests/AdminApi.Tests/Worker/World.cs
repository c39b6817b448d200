using FeedbackLoop.Runs;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.AdminApi.Tests.Worker;

/// <summary>What the tests of foreign workers share.</summary>
internal static class World
{
    public static FakeTimeProvider Manual() => new();

    /// <summary>A project in an organization of its own, whose models no other test sees; the shared one's admin is its admin.</summary>
    public static async Task<Scope> AddScopeAsync(ApiWorld world)
    {
        var organization = await world.Rows.AddOrganizationAsync();
        var project = await world.Rows.AddProjectAsync(organization);
        await world.Database.ExecuteAsync(
            $"""
            insert into kb.organization_memberships (organization_id, user_id, role)
            select '{organization}', id, 'org_admin' from core.user_profiles where zitadel_user_id = '{People.OrganizationAdmin}'
            """,
            TestContext.Current.CancellationToken);
        return new Scope(organization, project);
    }
}
