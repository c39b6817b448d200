using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>A project, as a person chooses it.</summary>
public sealed record NamedProject(Guid Id, Guid OrganizationId, string Name);

/// <summary>An organization, as a person chooses it.</summary>
public sealed record NamedOrganization(Guid Id, string Name);

/// <summary>Every statement that looks up organizations and projects by themselves.</summary>
public static class ProjectQueries
{
    /// <summary>The scope of a live project; null when there is none of that id.</summary>
    public static async Task<Scope?> FindProjectScopeAsync(
        this NpgsqlConnection db, Guid projectId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select organization_id
            from   kb.projects
            where  id = @projectId
            and    deleted_at is null
            """;

        var organization = await db.QuerySingleOrDefaultAsync<Guid?>(
            Sql.Command(sql, new { projectId }, cancellationToken));
        return organization is { } id ? new Scope(id, projectId) : null;
    }

    /// <summary>Live projects that the caller may see, by name.</summary>
    public static async Task<IReadOnlyList<NamedProject>> ListProjectsAsync(
        this NpgsqlConnection db, ScopeFilter visible, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, organization_id, name
            from   kb.projects
            where  deleted_at is null
            and    (organization_id = any(@WholeOrganizations) or id = any(@Projects))
            order  by name, id
            """;

        return (await db.QueryAsync<NamedProject>(Sql.Command(
            sql, new { visible.WholeOrganizations, visible.Projects }, cancellationToken))).AsList();
    }

    /// <summary>Of these, the live organizations, by name.</summary>
    public static async Task<IReadOnlyList<NamedOrganization>> ListOrganizationsAsync(
        this NpgsqlConnection db, Guid[] ids, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, name
            from   kb.orgs
            where  deleted_at is null
            and    id = any(@ids)
            order  by name, id
            """;

        return (await db.QueryAsync<NamedOrganization>(Sql.Command(sql, new { ids }, cancellationToken))).AsList();
    }

    /// <summary>
    /// Every organization, also those that the product has deleted: their runs and models are still there, and a run makes
    /// each of them known.
    /// </summary>
    public static async Task<Guid[]> ListOrganizationIdsAsync(
        this NpgsqlConnection db, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id from kb.orgs
            union
            select organization_id from ml.training_runs
            """;

        return [.. await db.QueryAsync<Guid>(Sql.Command(sql, args: null, cancellationToken))];
    }

    /// <summary>Names of organizations and projects, deleted ones too, by their ids.</summary>
    public static async Task<IReadOnlyDictionary<Guid, string>> ReadNamesAsync(
        this NpgsqlConnection db, IEnumerable<Scope> scopes, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select id, name
            from   kb.orgs
            where  id = any(@organizations)
            union  all
            select id, name
            from   kb.projects
            where  id = any(@projects)
            """;

        var organizations = scopes.Select(scope => scope.OrganizationId).Distinct().ToArray();
        var projects = scopes.Select(scope => scope.ProjectId).OfType<Guid>().Distinct().ToArray();
        var rows = await db.QueryAsync<(Guid Id, string Name)>(
            Sql.Command(sql, new { organizations, projects }, cancellationToken));
        return rows.ToDictionary(row => row.Id, row => row.Name);
    }

    /// <summary>
    /// How many extractions a scope has: about as many candidates as an export looks at, for a progress bar. One without
    /// objects is none, so the export may end short of it.
    /// </summary>
    public static Task<long> CountExtractionsAsync(
        this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select count(*)
            from   kb.object_extraction_jobs j
            join   kb.projects p on p.id = j.project_id
            where  p.organization_id = @OrganizationId
            and    p.deleted_at is null
            and    (@ProjectId::uuid is null or p.id = @ProjectId)
            """;

        return db.ExecuteScalarAsync<long>(Sql.Command(sql, scope, cancellationToken));
    }

    /// <summary>Whether a scope has more extractions than <paramref name="limit"/>, without counting further than that.</summary>
    public static Task<bool> HasMoreExtractionsAsync(
        this NpgsqlConnection db, Scope scope, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select count(*) > @limit
            from   (select 1
                    from   kb.object_extraction_jobs j
                    join   kb.projects p on p.id = j.project_id
                    where  p.organization_id = @OrganizationId
                    and    p.deleted_at is null
                    and    (@ProjectId::uuid is null or p.id = @ProjectId)
                    limit  @limit + 1) first
            """;

        var args = new { scope.OrganizationId, scope.ProjectId, limit };
        return db.ExecuteScalarAsync<bool>(Sql.Command(sql, args, cancellationToken));
    }

    /// <summary>Whether there is a live organization of that id.</summary>
    public static Task<bool> HasOrganizationAsync(
        this NpgsqlConnection db, Guid organizationId, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select exists (
                select 1
                from   kb.orgs
                where  id = @organizationId
                and    deleted_at is null)
            """;

        return db.ExecuteScalarAsync<bool>(Sql.Command(sql, new { organizationId }, cancellationToken));
    }
}
