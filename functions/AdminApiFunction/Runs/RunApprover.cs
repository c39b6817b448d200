using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FeedbackLoop.AdminApi.Runs;

/// <param name="EstimatedUsd">What the person has seen; the run must still ask for it. Left out: whatever it asks for.</param>
/// <param name="Reason">For the audit log: 1 to 500 characters, or left out.</param>
internal sealed record ApproveInput(decimal? EstimatedUsd = null, string? Reason = null);

/// <summary>Lets a training go on that waits for a person.</summary>
internal sealed class RunApprover(WakeUp wakeUp, TimeProvider time)
{
    public async Task<Results<Accepted<Started>, ProblemHttpResult>> ApproveAsync(
        Guid id, ApproveInput? input, HttpContext context, Caller caller, CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var run = await db.FindRunOverviewAsync(new RunId(id), RunPurpose.Training, caller.Visible, cancellationToken);
        if (!caller.May(run?.Scope, "run", out var refusal))
        {
            return refusal;
        }

        if (input?.Reason is { } reason && FieldErrors.Text("reason", reason) is [_, ..] errors)
        {
            return Problem.Invalid(errors);
        }

        var (now, isApproved) = await db.ApproveRunAsync(
            new RunId(id), caller.Actor, input?.EstimatedUsd, input?.Reason, time.GetUtcNow(), cancellationToken);
        if (!isApproved)
        {
            return Problem.Of(
                StatusCodes.Status409Conflict, ProblemTypes.NothingToApprove, "There is nothing to approve",
                Words(now, input?.EstimatedUsd), ("state", now.State), ("estimatedUsd", now.ApprovalAskedUsd));
        }

        await wakeUp.SendAsync(db, cancellationToken);
        var href = RunStarter.HrefOf(new RunId(id), RunPurpose.Training);
        return TypedResults.Accepted(
            $"{context.Request.PathBase}{href}", new Started(id, RunPurpose.Training, run!.CreatedAt, href)); // not null by May
    }

    private static string Words(Run run, decimal? seenUsd) => run switch
    {
        { State: not RunState.AwaitingApproval } => $"The run is {run.State}.",
        _ when seenUsd is not null && seenUsd != run.ApprovalAskedUsd => FormattableString.Invariant(
            $"The training is estimated at {run.ApprovalAskedUsd:0.00##} USD by now, not at {seenUsd:0.00##} USD.")
            + " Look at the run again.",
        _ => "The time for an approval is over, and the run is skipped in a moment.",
    };
}
