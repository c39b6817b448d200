using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Knowledge;

/// <summary>A job that waits for the end of a stop.</summary>
/// <param name="IsThere">Whether the product still has it.</param>
public sealed record WaitingExtraction(Guid JobId, bool IsThere);

/// <summary>
/// Every statement that touches <c>ml.waiting_extractions</c>: jobs whose message was taken while no model might be asked. The
/// job's own row stays as it was, and its retries are not used up.
/// </summary>
public static class WaitingExtractionQueries
{
    /// <summary>A job that waits already goes on waiting.</summary>
    public static Task AddWaitingExtractionAsync(
        this NpgsqlConnection db, ExtractionJob job, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.waiting_extractions (job_id, organization_id, project_id, since)
            values (@Id, @OrganizationId, @ProjectId, @now)
            on     conflict (job_id) do nothing
            """;

        return db.ExecuteAsync(
            Sql.Command(sql, new { job.Id, job.OrganizationId, job.ProjectId, now }, cancellationToken));
    }

    /// <summary>The longest waiting first.</summary>
    public static async Task<IReadOnlyList<WaitingExtraction>> ListWaitingExtractionsAsync(
        this NpgsqlConnection db, int limit, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select w.job_id, j.id is not null as is_there
            from   (select job_id, since
                    from   ml.waiting_extractions
                    order  by since, job_id
                    limit  @limit) w
            left   join kb.object_extraction_jobs j on j.id = w.job_id
            order  by w.since, w.job_id
            """;

        return (await db.QueryAsync<WaitingExtraction>(Sql.Command(sql, new { limit }, cancellationToken))).AsList();
    }

    public static Task RemoveWaitingExtractionsAsync(
        this NpgsqlConnection db, Guid[] jobs, CancellationToken cancellationToken) =>
        db.ExecuteAsync(Sql.Command(
            "delete from ml.waiting_extractions where job_id = any(@jobs)", new { jobs }, cancellationToken));
}
