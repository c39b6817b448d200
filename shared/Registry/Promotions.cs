using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Registry;

/// <summary>What a person does with the registry: each with an audit entry in the same transaction.</summary>
public static class Promotions
{
    /// <summary>
    /// Makes a model ready, also one that was deprecated, and one that was evaluated as worse when there is a reason for it.
    /// </summary>
    public static async Task<PromotionOutcome> PromoteModelAsync(
        this NpgsqlConnection db, RunId id, string actor, string? reason, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var before = await db.FindModelAsync(id, cancellationToken);
        switch (before)
        {
            case { Status: ModelStatus.Training }:
                return new PromotionOutcome.Refused(
                    $"model {id} is not done: its run {id} tunes or evaluates it, and decides about it when that is over");
            case { Verdict: ModelVerdict.Worse, VerdictReason: { } figures, Status: not ModelStatus.Ready }
                when string.IsNullOrWhiteSpace(reason):
                return new PromotionOutcome.ReasonNeeded(figures);
        }

        var outcome = await db.PromoteAsync(id, cancellationToken);
        if (outcome is PromotionOutcome.Promoted && await db.FindModelAsync(id, cancellationToken) is { } model)
        {
            // One that was kept back is new to everybody now: the schedules learn of it as of any other.
            if (before is { FirstPromotedAt: null })
            {
                await db.AddMessageAsync(
                    id, Topics.TrainingFinished, new TrainingFinished(id), MessageJson.Default.TrainingFinished,
                    cancellationToken, occasion: "promoted");
            }

            // What was known when somebody decided otherwise stands beside the decision.
            var subject = model is { Verdict: { } verdict and not ModelVerdict.Better }
                ? $"model {id}, evaluated as {verdict}: {model.VerdictReason}"
                : $"model {id}";
            await db.AddAuditEntryAsync(model.Scope, actor, "promote-model", subject, reason, now, cancellationToken);
        }

        await tx.CommitAsync(cancellationToken);
        return outcome;
    }

    /// <returns>False when the model was not ready.</returns>
    public static async Task<bool> DeprecateModelAsync(
        this NpgsqlConnection db, RunId id, string actor, string reason, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        if (!await db.DeprecateAsync(id, reason, cancellationToken)
            || await db.FindModelAsync(id, cancellationToken) is not { } model)
        {
            return false;
        }

        await db.AddAuditEntryAsync(
            model.Scope, actor, "deprecate-model", $"model {id}", reason, now, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return true;
    }
}
