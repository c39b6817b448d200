using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Tuning;

/// <summary>What a sweep reads Vertex AI's list for, as <c>ml.tuning_listings.purpose</c> holds it.</summary>
public static class ListingPurpose
{
    public const string Unanswered = "unanswered";
    public const string Duplicates = "duplicates";
}

/// <summary>
/// Every statement that touches <c>ml.tuning_listings</c>: how far the sweeps have come in Vertex AI's list.
/// </summary>
public static class TuningListingQueries
{
    /// <returns>Null when no pass is under way.</returns>
    public static async Task<ListingPass?> FindListingAsync(
        this NpgsqlConnection db, string parent, string purpose, CancellationToken cancellationToken)
    {
        const string sql =
            """
            select state::text
            from   ml.tuning_listings
            where  vertex_parent = @parent
            and    purpose = @purpose
            """;

        return ListingPass.FromJson(await db.QuerySingleOrDefaultAsync<string>(
            Sql.Command(sql, new { parent, purpose }, cancellationToken)));
    }

    /// <summary>
    /// Two sweeps at once may set each other back; each state says truly what was read to come to it.
    /// </summary>
    public static Task SaveListingAsync(
        this NpgsqlConnection db, string parent, string purpose, ListingPass pass, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.tuning_listings (vertex_parent, purpose, state, updated_at)
            values (@parent, @purpose, @state::jsonb, clock_timestamp())
            on     conflict (vertex_parent, purpose) do update
            set    state      = excluded.state,
                   updated_at = excluded.updated_at
            """;

        return db.ExecuteAsync(Sql.Command(sql, new { parent, purpose, state = pass.ToJson() }, cancellationToken));
    }

    /// <summary>The pass is over, or all that it was read for is settled: the next one begins.</summary>
    public static Task DeleteListingAsync(
        this NpgsqlConnection db, string parent, string purpose, CancellationToken cancellationToken)
    {
        const string sql = "delete from ml.tuning_listings where vertex_parent = @parent and purpose = @purpose";

        return db.ExecuteAsync(Sql.Command(sql, new { parent, purpose }, cancellationToken));
    }
}
