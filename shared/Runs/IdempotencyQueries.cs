using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>A request that was accepted under a key.</summary>
/// <param name="CreatedAt">When its run was requested.</param>
public sealed record AcceptedRequest(RunId RunId, byte[] RequestSha256, DateTimeOffset CreatedAt);

/// <summary>Every statement that touches <c>ml.idempotency_keys</c>.</summary>
public static class IdempotencyQueries
{
    /// <summary>
    /// The request that was accepted under a key; null when there is none, or none in an organization that this connection
    /// sees.
    /// </summary>
    public static Task<AcceptedRequest?> FindAcceptedRequestAsync(
        this NpgsqlConnection db, string actor, string key, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select run_id, request_sha256, created_at
            from   ml.idempotency_keys
            where  actor = @actor
            and    key = @key
            """;

        return db.QuerySingleOrDefaultAsync<AcceptedRequest>(Sql.Command(sql, new { actor, key }, cancellationToken));
    }

    /// <summary>Takes a key for a run that is about to be written in the same transaction.</summary>
    /// <returns>False when another request has it, committed.</returns>
    public static async Task<bool> TakeKeyAsync(
        this NpgsqlConnection db, RunRequest request, IdempotencyKey key, RunId runId, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.idempotency_keys (actor, key, organization_id, request_sha256, run_id, created_at)
            values (@RequestedBy, @Value, @OrganizationId, @RequestSha256, @runId, @now)
            on conflict (actor, key) do nothing
            """;

        var args = new
        {
            request.RequestedBy,
            key.Value,
            request.Scope.OrganizationId,
            key.RequestSha256,
            runId,
            now,
        };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }
}
