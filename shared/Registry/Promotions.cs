using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Registry;

/// <summary>What a person does with the registry: each with an audit entry in the same transaction.</summary>
public static class Promotions
{
    /// <summary>Makes a model ready, also one that was deprecated.</summary>
    public static async Task<PromotionOutcome> PromoteModelAsync(
        this NpgsqlConnection db, RunId id, string actor, string? reason, DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var outcome = await db.PromoteAsync(id, cancellationToken);
        if (outcome is PromotionOutcome.Promoted && await db.FindModelAsync(id, cancellationToken) is { } model)
        {
            await db.AddAuditEntryAsync(
                model.Scope, actor, "promote-model", $"model {id}", reason, now, cancellationToken);
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
