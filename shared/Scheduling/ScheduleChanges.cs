using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Scheduling;

/// <summary>What came of a wish to change a schedule.</summary>
public abstract record ScheduleChangeOutcome
{
    private ScheduleChangeOutcome()
    {
    }

    public sealed record Saved(Schedule Schedule) : ScheduleChangeOutcome;

    public sealed record Invalid(IReadOnlyList<FieldError> Errors) : ScheduleChangeOutcome;

    /// <param name="Current">Null: there is none, where the caller had seen one.</param>
    public sealed record Changed(Schedule? Current) : ScheduleChangeOutcome;
}

/// <summary>What a person does with a schedule: checked, with an audit entry in the same transaction.</summary>
public static class ScheduleChanges
{
    /// <param name="expectedVersion">The version that the person saw; null: there was no schedule.</param>
    public static async Task<ScheduleChangeOutcome> SaveScheduleAsync(
        this NpgsqlConnection db, Scope scope, ScheduleSettings settings, int? expectedVersion, string actor,
        DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (ScheduleRules.Check(settings, isProject: !scope.IsGeneral, now) is { Count: > 0 } errors)
        {
            return new ScheduleChangeOutcome.Invalid(errors);
        }

        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var before = await db.FindScheduleAsync(scope, cancellationToken);
        var wanted = Apply(before, scope, settings, now);
        if (before?.RowVersion != expectedVersion
            || !(before is null
                ? await db.InsertScheduleAsync(wanted, cancellationToken)
                : await db.UpdateScheduleAsync(wanted, cancellationToken)))
        {
            await tx.RollbackAsync(cancellationToken);
            return new ScheduleChangeOutcome.Changed(await db.FindScheduleAsync(scope, cancellationToken));
        }

        await db.AddAuditEntryAsync(
            scope, actor, "change-schedule", $"schedule {wanted.Id}", Words(settings), settings.ToJson(), now,
            cancellationToken);
        var saved = await db.FindScheduleAsync(scope, cancellationToken)
            ?? throw new InvalidOperationException($"schedule {wanted.Id} vanished inside its own transaction");
        await tx.CommitAsync(cancellationToken);
        return new ScheduleChangeOutcome.Saved(saved);
    }

    /// <summary>
    /// The row after the change. What is switched on begins now; a slot that is still to come stays when nothing about it
    /// was changed, or a change of the threshold would push it away.
    /// </summary>
    internal static Schedule Apply(Schedule? before, Scope scope, ScheduleSettings settings, DateTimeOffset now)
    {
        var hasCron = settings is { Enabled: true, CronEnabled: true };
        var isSameCron = before is { HasCron: true, NextScheduledAt: not null } && hasCron
            && before.CronExpression == settings.CronExpression
            && before.TimeZone == settings.TimeZone;
        var wasOff = before is not { Enabled: true }
            || (settings.RetrainProjects && !before.RetrainProjects)
            || (settings.RetrainOnGeneralUpdate && !before.RetrainOnGeneralUpdate);
        var next = isSameCron ? before!.NextScheduledAt // isSameCron is false without one
            : hasCron ? CronTimes.Find(settings.CronExpression, settings.TimeZone)?.NextAfter(now)
            : null;
        return new Schedule
        {
            Id = before?.Id ?? Guid.CreateVersion7(now),
            OrganizationId = scope.OrganizationId,
            ProjectId = scope.ProjectId,
            Enabled = settings.Enabled,
            ThresholdEnabled = settings.ThresholdEnabled,
            ThresholdCount = settings.ThresholdCount,
            CronEnabled = settings.CronEnabled,
            CronExpression = settings.CronExpression is "" ? null : settings.CronExpression,
            TimeZone = settings.TimeZone is "" ? null : settings.TimeZone,
            RetrainOnGeneralUpdate = settings.RetrainOnGeneralUpdate,
            NotifyProjectAdmins = settings.NotifyProjectAdmins,
            RetrainProjects = settings.RetrainProjects,
            MonthlyLimitUsd = settings.MonthlyLimitUsd,
            NoMonthlyLimit = settings.NoMonthlyLimit,
            PiiFloor = settings.PiiFloor is { } floor ? PiiFloor.WordOf(floor) : null,
            ParametersJson = settings.Parameters.ToJson(),
            ActiveSince = !settings.Enabled ? null : wasOff ? now : before!.ActiveSince, // wasOff is true without one
            NextScheduledAt = next,

            // The next tick says what it thinks of the change, also of a switch that was turned off.
            NextCheckAt = now,
            Retries = 0,
            RowVersion = (before?.RowVersion ?? 0) + 1,
            CreatedAt = before?.CreatedAt ?? now,
            UpdatedAt = now,
        };
    }

    private static string Words(ScheduleSettings settings)
    {
        string?[] parts =
        [
            settings.Enabled ? "on" : "off",
            settings.ThresholdEnabled ? $"after {settings.ThresholdCount} new examples" : null,
            settings.CronEnabled ? $"at '{settings.CronExpression}' in {settings.TimeZone}" : null,
            settings.RetrainOnGeneralUpdate ? "after a new general model" : null,
            settings.NotifyProjectAdmins ? "tells project admins of a new general model" : null,
            settings.RetrainProjects ? "retrains projects after a new general model" : null,
            settings.MonthlyLimitUsd is { } limit ? FormattableString.Invariant($"at most {limit:0.00} USD a month")
                : settings.NoMonthlyLimit ? "without a monthly limit"
                : null,
            settings.PiiFloor is { } floor ? $"personal data at least: {PiiFloor.WordOf(floor)}" : null,
        ];
        return string.Join(", ", parts.Where(part => part is not null));
    }
}
