using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using FeedbackLoop.AdminApi.Access;
using FeedbackLoop.AdminApi.Problems;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace FeedbackLoop.AdminApi.Runs;

/// <summary>A wish to a row, an audit entry and a message in one commit; the chain does the rest.</summary>
internal sealed class RunStarter(WakeUp wakeUp, SpendingTerms terms, TimeProvider time)
{
    /// <param name="body">The request as it was read, for the comparison with an earlier one under the same key.</param>
    /// <param name="check">What is refused at once. Not asked for a request that was accepted before.</param>
    public async Task<Results<Accepted<Started>, ProblemHttpResult>> StartAsync<TBody>(
        HttpContext context, Caller caller, Scope scope, string purpose, RunParameters parameters,
        TBody body, JsonTypeInfo<TBody> type, Func<Task<ProblemHttpResult?>> check, CancellationToken cancellationToken)
    {
        if (ParameterRules.Check(parameters) is [_, ..] errors)
        {
            return Problem.Invalid(errors);
        }

        if (!RequestKey.TryRead(context.Request, body, type, out var key, out var refusal))
        {
            return refusal;
        }

        // The start itself looks at the floor again; here it is said before anything is read.
        if (!await IsRepeatAsync(caller, key, cancellationToken)
            && (await caller.CheckPiiFloorAsync(scope, parameters, cancellationToken) ?? await check()) is { } refused)
        {
            return refused;
        }

        // As precise as the database keeps it: a repeat of this request is answered from there, and must say the same.
        var now = time.GetUtcNow();
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
        var request = new RunRequest(scope, purpose, RunTrigger.Manual, caller.Actor, parameters, key)
        {
            DailyLimit = terms.Options.RunsPerDay,
        };
        await using var db = await caller.OpenAsync(cancellationToken);
        switch (await db.RequestRunAsync(request, now, cancellationToken))
        {
            case RunRequestOutcome.Accepted accepted:
                await wakeUp.SendAsync(db, cancellationToken);
                var href = HrefOf(accepted.RunId, purpose);
                return TypedResults.Accepted(
                    $"{context.Request.PathBase}{href}",
                    new Started(accepted.RunId.Value, purpose, accepted.CreatedAt, href));
            case RunRequestOutcome.AlreadyRunning live:
                return Problem.Of(
                    StatusCodes.Status409Conflict, ProblemTypes.RunLive,
                    purpose == RunPurpose.Export ? "An export is not over yet" : "A training is not over yet",
                    $"Run {live.RunId} is {live.State}. Wait for its end, or cancel it.",
                    ("runId", live.RunId.Value), ("state", live.State), ("href", HrefOf(live.RunId, purpose)));
            case RunRequestOutcome.BelowFloor below:
                return Problem.Invalid([below.Error]);
            case RunRequestOutcome.TooMany tooMany:
                return TooMany(context, tooMany.Today, tooMany.Limit, tooMany.Reason, now);
            case RunRequestOutcome.KeyReused reused:
                return Problem.Of(
                    StatusCodes.Status422UnprocessableEntity, ProblemTypes.KeyReused, "The key belongs to another request",
                    $"{RequestKey.Header} was sent before with another content. Take a new key.",
                    ("runId", reused.RunId?.Value));
            case var outcome:
                throw new InvalidOperationException($"unknown outcome {outcome}");
        }
    }

    public static string HrefOf(RunId id, string purpose) =>
        purpose == RunPurpose.Export ? $"/training-export/exports/{id}" : $"/fine-tuning/runs/{id}";

    public static ProblemHttpResult TooMany(
        HttpContext context, RunsOfDay today, int limit, string reason, DateTimeOffset now)
    {
        if (today.NextAt is { } next)
        {
            context.Response.Headers.RetryAfter =
                Math.Max(1, Math.Ceiling((next - now).TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        return Problem.Of(
            StatusCodes.Status429TooManyRequests, ProblemTypes.RunsPerDay, "Too many trainings within a day", $"{reason}.",
            ("runs", today.Count), ("limit", limit), ("nextAt", today.NextAt));
    }

    private static async Task<bool> IsRepeatAsync(
        Caller caller, IdempotencyKey? key, CancellationToken cancellationToken)
    {
        if (key is null)
        {
            return false;
        }

        await using var db = await caller.OpenAsync(cancellationToken);
        return await db.FindAcceptedRequestAsync(caller.Actor, key.Value, cancellationToken) is not null;
    }
}
