using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Knowledge;

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
