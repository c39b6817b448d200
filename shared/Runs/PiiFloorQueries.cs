using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>Reads an organization's floor where a run is asked for, and where it is exported.</summary>
public static class PiiFloorQueries
{
    /// <returns>Why the organization does not let a run do so; null when it does.</returns>
    public static async Task<FieldError?> CheckPiiFloorAsync(
        this NpgsqlConnection db, Guid organizationId, ExportCriteria criteria, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select pii_floor
            from   ml.training_schedules
            where  organization_id = @organizationId
            and    project_id is null
            """;

        var floor = await db.QuerySingleOrDefaultAsync<string?>(
            Sql.Command(sql, new { organizationId }, cancellationToken));
        return PiiFloor.Check(floor is null ? null : PiiFloor.Parse(floor), criteria.Pii);
    }
}
