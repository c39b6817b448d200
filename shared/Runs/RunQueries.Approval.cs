using Dapper;
using FeedbackLoop.Platform;
using Npgsql;

namespace FeedbackLoop.Runs;

// A training that is dearer than usual, and the person who lets it go on.
public static partial class RunQueries
{
    /// <summary>A claimed run to <c>awaiting_approval</c>, where it rests until somebody approves the sum.</summary>
    /// <param name="usd">What its tuning job is expected to cost.</param>
    /// <param name="patience">After it the sweep ends the run as skipped.</param>
    /// <returns>False when the claim is lost.</returns>
    public static async Task<bool> MarkAwaitingApprovalAsync(
        this NpgsqlConnection db, Run claim, decimal usd, string reason, TimeSpan patience,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state              = 'awaiting_approval',
                   reason             = @reason,
                   approval_asked_usd = @usd,
                   lease_until        = null,
                   step_attempts      = 0,
                   deadline_at        = clock_timestamp() + @patience,
                   updated_at         = clock_timestamp()
            where  id = @Id
            and    epoch = @Epoch
            and    state = @State
            """;

        var args = new { claim.Id, claim.Epoch, claim.State, usd, reason, patience };
        return Halt(
            await db.ExecuteAsync(Sql.Command(sql, args, cancellationToken)) == 1, RunState.AwaitingApproval);
    }

    /// <summary><c>awaiting_approval</c> back to <c>exported</c>, for the sum that was asked for.</summary>
    /// <param name="approvedBy">A person, as the audit log names people.</param>
    /// <param name="usd">What that person has seen; null: whatever is asked for.</param>
    /// <param name="deadline">How long the run may wait for its tuning job from then on.</param>
    /// <returns>False when the run does not wait for it any more, or for another sum.</returns>
    public static async Task<bool> MarkApprovedAsync(
        this NpgsqlConnection db, RunId id, string approvedBy, decimal? usd, TimeSpan deadline,
        CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_runs
            set    state              = 'exported',
                   reason             = null,
                   approved_usd       = approval_asked_usd,
                   approved_by        = @approvedBy,
                   approved_at        = clock_timestamp(),
                   approval_asked_usd = null,
                   epoch              = epoch + 1,
                   lease_until        = null,
                   not_before         = clock_timestamp(),
                   deadline_at        = clock_timestamp() + @deadline,
                   updated_at         = clock_timestamp()
            where  id = @id
            and    state = 'awaiting_approval'
            and    deadline_at > clock_timestamp()
            and    (@usd::numeric is null or approval_asked_usd = @usd)
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new { id, approvedBy, usd, deadline }, cancellationToken)) == 1;
    }
}
