using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FeedbackLoop.AdminApi.Runs;

/// <param name="Reason">For the audit log: 1 to 500 characters.</param>
internal sealed record ReasonInput(string Reason);

/// <summary>Asks a run to end; the chain sees to it.</summary>
internal sealed class RunCanceller(WakeUp wakeUp, TimeProvider time)
{
    /// <param name="what">What the route calls it, for the words of a refusal.</param>
    public async Task<Results<Accepted<Started>, ProblemHttpResult>> CancelAsync(
        Guid id, string purpose, string what, ReasonInput input, HttpContext context, Caller caller,
        CancellationToken cancellationToken)
    {
        await using var db = await caller.OpenAsync(cancellationToken);
        var run = await db.FindRunOverviewAsync(new RunId(id), purpose, caller.Visible, cancellationToken);
        if (!caller.May(run?.Scope, what, out var refusal))
        {
            return refusal;
        }

        if (FieldErrors.Text("reason", input.Reason) is [_, ..] errors)
        {
            return Problem.Invalid(errors);
        }

        if (!await db.RequestCancelAsync(
            new RunId(id), caller.Actor, input.Reason, time.GetUtcNow(), cancellationToken))
        {
            var now = await db.FindRunOverviewAsync(new RunId(id), purpose, caller.Visible, cancellationToken);
            return Problem.Of(
                StatusCodes.Status409Conflict, ProblemTypes.RunOver, "There is nothing to cancel",
                now?.State switch
                {
                    RunState.NeedsOperator => "The run rests with an operator, who has to find out whether a job exists.",
                    RunState.Cancelling => "The run is being cancelled already.",
                    var state => $"The run is {state}.",
                },
                ("state", now?.State));
        }

        await wakeUp.SendAsync(db, cancellationToken);
        var href = RunStarter.HrefOf(new RunId(id), purpose);
        return TypedResults.Accepted(
            $"{context.Request.PathBase}{href}", new Started(id, purpose, run!.CreatedAt, href)); // not null by May
    }
}
