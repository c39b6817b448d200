using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

// From one state to the next.
public static partial class RunQueries
{
    /// <summary>
    /// Moves a claimed run on and frees its lease. Final states get their end time; <paramref name="deadline"/> is how long
    /// the new state may last.
    /// </summary>
    public static async Task<bool> MoveAsync(
        this NpgsqlConnection db, Run claim, string to, string? reason, TimeSpan deadline,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state         = @to,
                   reason        = @reason,
                   lease_until   = null,
                   step_attempts = 0,
                   deadline_at   = clock_timestamp() + @deadline,
                   updated_at    = clock_timestamp(),
                   ended_at      = case when ml.run_is_final(@to) then clock_timestamp() end
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, to, reason, deadline };
        return Count(await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1, claim, to);
    }

    /// <summary><c>exporting</c> to <c>exported</c>, with the dataset and what its tuning is expected to cost.</summary>
    public static async Task<bool> MarkExportedAsync(
        this NpgsqlConnection db, Run claim, Guid datasetId, decimal? estimatedCostUsd, string progressJson,
        TimeSpan deadline, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state              = 'exported',
                   reason             = null,
                   dataset_id         = @datasetId,
                   estimated_cost_usd = @estimatedCostUsd,
                   progress           = @progressJson::jsonb,
                   lease_until        = null,
                   step_attempts      = 0,
                   deadline_at        = clock_timestamp() + @deadline,
                   updated_at         = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = 'exporting'
            """;

        var args = new { claim.Id, claim.Epoch, datasetId, estimatedCostUsd, progressJson, deadline };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary>An export that leads to no training: <c>exporting</c> to <c>succeeded</c>, with its dataset.</summary>
    public static async Task<bool> MarkExportSucceededAsync(
        this NpgsqlConnection db, Run claim, Guid datasetId, string progressJson, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state       = 'succeeded',
                   reason      = null,
                   dataset_id  = @datasetId,
                   progress    = @progressJson::jsonb,
                   lease_until = null,
                   updated_at  = clock_timestamp(),
                   ended_at    = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = 'exporting'
            and    purpose = 'export'
            """;

        var args = new { claim.Id, claim.Epoch, datasetId, progressJson };
        return Count(await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1, claim, RunState.Succeeded);
    }

    /// <summary>
    /// Keeps a run where it is until <paramref name="delay"/> has passed, and says why. A wait on purpose does not count as
    /// a failed attempt of the step, and the deadline goes on.
    /// </summary>
    /// <param name="deadline">How long the state may last from then on; null: the deadline stays.</param>
    public static async Task<bool> PostponeAsync(
        this NpgsqlConnection db, Run claim, string to, TimeSpan delay, string reason,
        CancellationToken cancellationToken, TimeSpan? deadline = null)
    {
        const string sql =
            """
            update ml.training_runs
            set    state         = @to,
                   reason        = @reason,
                   lease_until   = null,
                   step_attempts = 0,
                   not_before    = clock_timestamp() + @delay,
                   deadline_at   = coalesce(clock_timestamp() + @delay + @deadline::interval, deadline_at),
                   updated_at    = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, to, delay, reason, deadline };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary>
    /// A run whose tuning job is recorded: <c>creating</c>, <c>create_unknown</c> or <c>needs_operator</c> to <c>tuning</c>.
    /// A run that is being cancelled stays so, with its deadline; its job is looked at at once.
    /// </summary>
    public static async Task<bool> MarkTuningAsync(
        this NpgsqlConnection db, RunId id, TimeSpan pollAfter, TimeSpan deadline, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state         = case when state = 'cancelling' then state else 'tuning' end,
                   reason        = case when state = 'cancelling' then reason end,
                   lease_until   = null,
                   step_attempts = 0,
                   poll_count    = 0,
                   next_poll_at  = case when state = 'cancelling' then clock_timestamp()
                                        else clock_timestamp() + @pollAfter end,
                   deadline_at   = case when state = 'cancelling' then deadline_at
                                        else clock_timestamp() + @deadline end,
                   updated_at    = clock_timestamp()
            where  id = @id
            and    state in ('creating', 'create_unknown', 'needs_operator', 'cancelling')
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { id, pollAfter, deadline }, cancellationToken)) == 1;
    }

    /// <summary>After a poll that found the job still at work.</summary>
    public static async Task<bool> SetNextPollAsync(
        this NpgsqlConnection db, Run claim, TimeSpan pollAfter, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    poll_count    = poll_count + 1,
                   step_attempts = 0,
                   next_poll_at  = clock_timestamp() + @pollAfter,
                   lease_until   = null,
                   updated_at    = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, pollAfter };
        return await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1;
    }

    /// <summary><c>evaluating</c> to <c>succeeded</c>, with the model of the same id.</summary>
    /// <param name="reason">Why its model is not in use; null when it is.</param>
    public static async Task<bool> MarkSucceededAsync(
        this NpgsqlConnection db, Run claim, string? reason, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state       = 'succeeded',
                   reason      = @reason,
                   model_id    = id,
                   lease_until = null,
                   updated_at  = clock_timestamp(),
                   ended_at    = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = 'evaluating'
            """;

        var args = new { claim.Id, claim.Epoch, reason };
        return Count(
            await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1, claim, RunState.Succeeded);
    }

    /// <summary>
    /// Any live state to <c>cancelling</c>, whoever holds the lease: that worker's next write misses. The run is polled at
    /// once and ends as <paramref name="endsAs"/> (<c>cancelled</c> or <c>failed</c>) when no job is left alive.
    /// </summary>
    public static async Task<bool> MarkCancellingAsync(
        this NpgsqlConnection db, RunId id, string endsAs, string reason, TimeSpan deadline,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state        = 'cancelling',
                   reason       = @reason,
                   ends_as      = @endsAs,
                   epoch        = epoch + 1,
                   lease_until  = null,
                   not_before   = clock_timestamp(),
                   next_poll_at = clock_timestamp(),
                   deadline_at  = clock_timestamp() + @deadline,
                   updated_at   = clock_timestamp()
            where  id = @id
            and    ml.run_may_move(state, 'cancelling')
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { id, endsAs, reason, deadline }, cancellationToken)) == 1;
    }

    // Here, where every end passes. A transaction that is rolled back afterwards has counted once too often; the rows are the
    // truth, and the metric is for alarms.
    private static bool Count(bool isMoved, Run claim, string to)
    {
        if (isMoved && RunTransitions.IsFinal(to))
        {
            PipelineMetrics.RunEnded(claim, to);
        }

        return isMoved;
    }
}
