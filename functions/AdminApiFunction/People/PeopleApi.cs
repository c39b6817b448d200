using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace FeedbackLoop.AdminApi.People;

/// <param name="Role"><c>admin</c> or <c>member</c>; null: seen only as the place of a project.</param>
internal sealed record VisibleOrganization(Guid Id, string Name, string? Role, IReadOnlyList<VisibleProject> Projects);

/// <param name="Role"><c>admin</c> or <c>member</c>.</param>
internal sealed record VisibleProject(Guid Id, string Name, string Role);

/// <summary>Who is asking, and what that person may see.</summary>
internal sealed record Me(Guid Id, string Name, IReadOnlyList<VisibleOrganization> Organizations);

/// <summary>The caller: what a page needs to offer organizations and projects to switch between.</summary>
internal static class PeopleApi
{
    public static void MapPeople(this IEndpointRouteBuilder api) =>
        api.MapGet("/me", FindMeAsync).WithTags("People").WithName("GetMe").Needs(ScopeRole.None);

    private static async Task<Ok<Me>> FindMeAsync(Caller caller, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var projects = await db.ListProjectsAsync(caller.Visible, cancellationToken);
        var organizations = await db.ListOrganizationsAsync(
            [.. caller.Person.Memberships.Select(membership => membership.OrganizationId).Distinct()], cancellationToken);
        return TypedResults.Ok(new Me(
            caller.Person.Id,
            caller.Person.DisplayName,
            [.. organizations.Select(organization => new VisibleOrganization(
                organization.Id,
                organization.Name,
                Word(caller.Person.RoleIn(new Scope(organization.Id, null))),
                [.. projects
                    .Where(project => project.OrganizationId == organization.Id)
                    .Select(project => new VisibleProject(
                        project.Id, project.Name,
                        Word(caller.Person.RoleIn(new Scope(organization.Id, project.Id)))!))]))])); // listed, so seen
    }

    private static string? Word(ScopeRole role) => role switch
    {
        ScopeRole.Admin => "admin",
        ScopeRole.Member => "member",
        _ => null,
    };
}
