using System.Diagnostics.CodeAnalysis;
using FeedbackLoop.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Knowledge;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace FeedbackLoop.AdminApi.Access;

/// <summary>The person behind a request, and the role that its route takes.</summary>
internal sealed class Caller(Person person, ScopeRole needed, TenantConnections connections)
{
    public Person Person => person;

    /// <summary>As runs and the audit log name people.</summary>
    public string Actor => $"user:{person.Id}";

    /// <summary>All that the person may see.</summary>
    public ScopeFilter Visible { get; } = new(
        [.. Organizations(person, isAdmin: true)],
        [.. Organizations(person, isAdmin: false)],
        [.. person.Memberships.Where(m => m.ProjectId is not null).Select(m => m.ProjectId!.Value)]); // by the filter

    public static ValueTask<Caller?> BindAsync(HttpContext context) =>
        ValueTask.FromResult(context.Features.Get<Caller>());

    /// <summary>A connection that sees the organizations of the person, and no other.</summary>
    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) =>
        await connections.OpenAsync(
            [.. person.Memberships.Select(membership => membership.OrganizationId).Distinct()], cancellationToken);

    /// <summary>
    /// The scope of a live project; null when there is none of that id. On a connection of its own, which is given back: a
    /// request that held one while it waits for another could starve the pool.
    /// </summary>
    public async Task<Scope?> FindProjectScopeAsync(Guid projectId, CancellationToken cancellationToken)
    {
        await using var db = await OpenAsync(cancellationToken);
        return await db.FindProjectScopeAsync(projectId, cancellationToken);
    }

    /// <returns>The refusal, when the organization lets no run do so little about personal data.</returns>
    public async Task<ProblemHttpResult?> CheckPiiFloorAsync(
        Scope scope, RunParameters parameters, CancellationToken cancellationToken)
    {
        await using var db = await OpenAsync(cancellationToken);
        return await db.CheckPiiFloorAsync(scope.OrganizationId, parameters.Export, cancellationToken) is { } error
            ? Problem.Invalid([error])
            : null;
    }

    /// <summary>What a request is about that names a project or an organization, when the person has the route's role.</summary>
    /// <returns>The scope or the refusal.</returns>
    public async Task<(Scope? Scope, ProblemHttpResult? Refusal)> FindScopeAsync(
        Guid? organizationId, Guid? projectId, CancellationToken cancellationToken)
    {
        if (organizationId is null == projectId is null)
        {
            return (null, Problem.Invalid([new FieldError(
                "projectId", "either projectId or organizationId must be given, and not both")]));
        }

        var found = projectId is { } project
            ? await FindProjectScopeAsync(project, cancellationToken)
            : new Scope(organizationId!.Value, null); // one of the two is there, as checked above
        return May(found, projectId is null ? "organization" : "project", out var scope, out var refusal)
            ? (scope, null)
            : (null, refusal);
    }

    /// <summary>Whether the person has the role that the route takes.</summary>
    /// <param name="found">The scope as the database has it; null when it has none of the id asked for.</param>
    /// <param name="what">What the caller asked for, for the words of the refusal.</param>
    public bool May(Scope? found, string what, [NotNullWhen(false)] out ProblemHttpResult? refusal) =>
        May(found, what, out _, out refusal);

    /// <param name="allowed">The scope that was found; without meaning when it is refused.</param>
    public bool May(
        Scope? found, string what, out Scope allowed, [NotNullWhen(false)] out ProblemHttpResult? refusal)
    {
        allowed = found ?? default;
        refusal = (found, found is { } scope ? person.RoleIn(scope) : ScopeRole.None) switch
        {
            (null, _) or (_, ScopeRole.None) => Problem.NotFound(what),
            ({ } seen, var role) when role < needed => Problem.RoleNeeded(seen),
            _ => null,
        };
        return refusal is null;
    }

    /// <summary>What a list shows, by the filters of its query.</summary>
    /// <param name="isGeneral">Only what belongs to organizations themselves.</param>
    /// <returns>Null with the refusal, when a filter names something that the person may not know of.</returns>
    public async Task<(ScopeFilter? Visible, ProblemHttpResult? Refusal)> NarrowAsync(
        NpgsqlConnection db, Guid? organizationId, Guid? projectId, bool isGeneral, CancellationToken cancellationToken)
    {
        if (projectId is { } project)
        {
            if (organizationId is not null || isGeneral)
            {
                return (null, Problem.Invalid([new FieldError(
                    "projectId", "projectId cannot be combined with organizationId or general: it says both")]));
            }

            return May(
                await db.FindProjectScopeAsync(project, cancellationToken), "project", out var scope, out var refusal)
                ? (ScopeFilter.Of(scope), null)
                : (null, refusal);
        }

        var visible = organizationId is { } organization ? VisibleIn(organization) : Visible;
        return visible switch
        {
            null => (null, Problem.NotFound("organization")),
            _ when isGeneral => (
                new ScopeFilter([], [.. visible.WholeOrganizations, .. visible.Organizations], []), null),
            _ => (visible, null),
        };
    }

    private ScopeFilter? VisibleIn(Guid organizationId) => person.RoleIn(new Scope(organizationId, null)) switch
    {
        ScopeRole.Admin => new ScopeFilter([organizationId], [], []),
        ScopeRole.Member => new ScopeFilter([], [organizationId], ProjectsIn(organizationId)),
        _ => null,
    };

    private Guid[] ProjectsIn(Guid organizationId) =>
        [.. person.Memberships
            .Where(m => m.OrganizationId == organizationId && m.ProjectId is not null)
            .Select(m => m.ProjectId!.Value)]; // by the filter

    private static IEnumerable<Guid> Organizations(Person person, bool isAdmin) => person.Memberships
        .Where(m => m.ProjectId is null && (m.Role == MembershipRole.OrganizationAdmin) == isAdmin)
        .Select(m => m.OrganizationId);
}
