using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

/// <summary>The part around the creation of a tuning job, where a run may rest without an answer.</summary>
public static partial class RunQueries
{
    /// <summary>
    /// A claimed run to <c>creating</c>, with a new lease. The deadline stays that of <c>exported</c>, which bounds all
    /// waiting for a job together.
    /// </summary>
    /// <returns>False when the claim is lost: another epoch, another state, or a lease that has run out.</returns>
    public static async Task<bool> MarkCreatingAsync(
        this NpgsqlConnection db, Run claim, TimeSpan lease, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state       = 'creating',
                   lease_until = clock_timestamp() + @lease,
                   updated_at  = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            and    lease_until > clock_timestamp()
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, lease };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary>
    /// How far the create step has come in Vertex AI's list, as <see cref="SaveListingAsync"/> left it.
    /// </summary>
    public static Task<string?> FindListingAsync(
        this NpgsqlConnection db, RunId id, CancellationToken cancellationToken) =>
        db.QuerySingleOrDefaultAsync<string?>(Sql.Command(
            "select listing::text from ml.training_runs where id = @id", new { id }, cancellationToken));

    /// <summary>Keeps how far a claim has come in Vertex AI's list, and prolongs its lease.</summary>
    /// <param name="listingJson">Null when the list is read: the next reading begins anew.</param>
    /// <returns>False when the claim is lost.</returns>
    public static async Task<bool> SaveListingAsync(
        this NpgsqlConnection db, Run claim, string? listingJson, TimeSpan lease, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    listing     = @listingJson::jsonb,
                   lease_until = clock_timestamp() + @lease,
                   updated_at  = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            and    lease_until > clock_timestamp()
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, listingJson, lease };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary>
    /// <c>creating</c> back to <c>exported</c> after a failure before the call; it counts as an attempt of the step.
    /// </summary>
    public static async Task<bool> ReturnToExportedAsync(
        this NpgsqlConnection db, RunId id, int epoch, string reason, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state       = 'exported',
                   reason      = @reason,
                   lease_until = null,
                   updated_at  = clock_timestamp()
            where  id = @id
            and    epoch = @epoch
            and    state = 'creating'
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { id, epoch, reason }, cancellationToken)) == 1;
    }

    /// <summary><c>creating</c> to <c>create_unknown</c>: nobody knows whether there is a tuning job.</summary>
    public static async Task<bool> MarkCreateUnknownAsync(
        this NpgsqlConnection db, RunId id, string reason, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state         = 'create_unknown',
                   reason        = @reason,
                   lease_until   = null,
                   step_attempts = 0,
                   updated_at    = clock_timestamp()
            where  id = @id
            and    state = 'creating'
            """;

        return Halt(
            await db.ExecuteAsync(Sql.Command(sql, new { id, reason }, cancellationToken)) == 1, RunState.CreateUnknown);
    }

    /// <summary>
    /// <c>create_unknown</c> or <c>cancelling</c> to <c>needs_operator</c>, whoever holds the lease. The run rests there and
    /// blocks its scope until a person decides.
    /// </summary>
    public static async Task<bool> MarkNeedsOperatorAsync(
        this NpgsqlConnection db, RunId id, string reason, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state       = 'needs_operator',
                   reason      = @reason,
                   epoch       = epoch + 1,
                   lease_until = null,
                   updated_at  = clock_timestamp()
            where  id = @id
            and    ml.run_may_move(state, 'needs_operator')
            """;

        return Halt(
            await db.ExecuteAsync(Sql.Command(sql, new { id, reason }, cancellationToken)) == 1, RunState.NeedsOperator);
    }

    /// <summary>Of these, the runs that exist.</summary>
    public static async Task<IReadOnlyList<Run>> ListRunsAsync(
        this NpgsqlConnection db, Guid[] ids, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.training_runs
            where  id = any(@ids)
            order  by id
            """;

        return (await db.QueryAsync<Run>(Sql.Command(sql, new { ids }, cancellationToken))).AsList();
    }

    /// <summary>The database's clock, the one that leases and deadlines go by.</summary>
    public static Task<DateTimeOffset> ReadClockAsync(this NpgsqlConnection db, CancellationToken cancellationToken) =>
        db.QuerySingleAsync<DateTimeOffset>(Sql.Command("select clock_timestamp()", args: null, cancellationToken));

    private static bool Halt(bool isMoved, string state)
    {
        if (isMoved)
        {
            PipelineMetrics.RunHalted(state);
        }

        return isMoved;
    }
}
