using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Preflights;

/// <summary>Every statement that touches <c>ml.preflights</c>.</summary>
public static class PreflightQueries
{
    /// <summary>Keeps it as the latest of its scope; a check of older data that ended later does not take its place.</summary>
    public static Task SavePreflightAsync(
        this NpgsqlConnection db, PreflightReport report, string requestedBy, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.preflights (id, organization_id, project_id, checked_at, requested_by, report)
            values (@id, @OrganizationId, @ProjectId, @CheckedAt, @requestedBy, @report::jsonb)
            on     conflict on constraint one_preflight_per_scope do update
            set    checked_at   = excluded.checked_at,
                   requested_by = excluded.requested_by,
                   report       = excluded.report
            where  preflights.checked_at <= excluded.checked_at
            """;

        var args = new
        {
            id = Guid.CreateVersion7(now),
            report.OrganizationId,
            report.ProjectId,
            report.CheckedAt,
            requestedBy,
            report = report.ToJson(),
        };
        return db.ExecuteAsync(Sql.Command(sql, args, cancellationToken));
    }

    /// <returns>The latest of the scope; null when it was never checked.</returns>
    public static async Task<PreflightReport?> FindPreflightAsync(
        this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select report::text
            from   ml.preflights
            where  organization_id = @OrganizationId
            and    project_id is not distinct from @ProjectId
            """;

        var json = await db.QuerySingleOrDefaultAsync<string?>(Sql.Command(sql, scope, cancellationToken));
        return json is null ? null : PreflightReport.FromJson(json);
    }
}
