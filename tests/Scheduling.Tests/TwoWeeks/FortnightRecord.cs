using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Scheduling.Tests.TwoWeeks;

/// <param name="SnapshotAt">Of a run that succeeded.</param>
internal sealed record RecordedRun(
    Guid Id, Guid OrganizationId, Guid? ProjectId, string Trigger, Guid? ScheduleId, DateTimeOffset? Slot, string State,
    DateTimeOffset CreatedAt, DateTimeOffset? EndedAt, DateTimeOffset? SnapshotAt)
{
    public Scope Scope => new(OrganizationId, ProjectId);

    public bool IsLiveAt(DateTimeOffset at) => CreatedAt < at && !(EndedAt <= at);
}

/// <param name="RunId">The run that came of it, with <see cref="ScheduleOutcome.Started"/>.</param>
internal sealed record RecordedLook(
    long Number, Guid ScheduleId, DateTimeOffset At, string Outcome, string Reason, Guid? RunId);

/// <summary>What the two weeks left in the rows.</summary>
internal sealed record FortnightRecord(IReadOnlyList<RecordedRun> Runs, IReadOnlyList<RecordedLook> Looks)
{
    public static async Task<FortnightRecord> ReadAsync(TestDatabase database, CancellationToken cancellationToken)
    {
        const string runs =
            """
            select r.id, r.organization_id, r.project_id, r.trigger, r.schedule_id, r.slot, r.state, r.created_at, r.ended_at,
                   d.snapshot_at
            from   ml.training_runs r
            left   join ml.datasets d on d.id = r.dataset_id
            order  by r.created_at, r.id
            """;
        const string looks =
            """
            select number, schedule_id, at, outcome, reason, run_id
            from   observed.looks
            order  by number
            """;

        await using var db = await database.Admin.OpenConnectionAsync(cancellationToken);
        return new(
            (await db.QueryAsync<RecordedRun>(Sql.Command(runs, null, cancellationToken))).AsList(),
            (await db.QueryAsync<RecordedLook>(Sql.Command(looks, null, cancellationToken))).AsList());
    }
}
