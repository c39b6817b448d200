using System.Text.Json;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Statistics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Scheduling;

/// <summary>What a tick did.</summary>
/// <param name="LookedAt">Schedules for which something was decided, the others included.</param>
public sealed record TickTally(int LookedAt, int Started, int Waiting, int Skipped, int GaveUp)
{
    public TickTally Plus(TickTally other) => new(
        LookedAt + other.LookedAt, Started + other.Started, Waiting + other.Waiting, Skipped + other.Skipped,
        GaveUp + other.GaveUp);

    public override string ToString() =>
        $"{LookedAt} schedules: {Started} started, {Waiting} waiting, {Skipped} skipped, {GaveUp} given up";
}

/// <summary>Schedules that are to be looked at, to runs: load, decide, write, a batch in each transaction.</summary>
/// <remarks>
/// Several at once share the work, because each takes what no other holds. A second delivery finds nothing, because a
/// schedule that was looked at is not looked at again for half an hour; and whatever happens, a slot has one run and a scope
/// one live run, by constraints.
/// </remarks>
public sealed partial class ScheduleTicker(
    NpgsqlDataSource database,
    OutboxRelay outbox,
    TimeProvider time,
    IOptions<ScheduleOptions> options,
    CountingRules rules,
    SpendingTerms terms,
    ILogger<ScheduleTicker> logger)
{
    public async Task<TickTally> RunAsync(CancellationToken cancellationToken)
    {
        // One time for the whole tick: what one batch has looked at, the next one does not find.
        var now = time.GetUtcNow();
        var tally = new TickTally(0, 0, 0, 0, 0);
        TickTally batch;
        do
        {
            batch = await RunBatchAsync(now, cancellationToken);
            tally = tally.Plus(batch);
        }
        while (batch.LookedAt == options.Value.BatchSize);

        if (tally.Started > 0)
        {
            await outbox.SendPendingAsync(options.Value.RelayLimit, cancellationToken);
        }

        return tally;
    }

    private async Task<TickTally> RunBatchAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var db = await database.OpenConnectionAsync(cancellationToken);
        await using var tx = await db.BeginTransactionAsync(cancellationToken);
        var schedules = await db.ClaimDueSchedulesAsync(now, options.Value.BatchSize, cancellationToken);
        var plans = await PlanAsync(db, schedules, now, cancellationToken);
        await StartAsync(db, plans, now, cancellationToken);

        // Of those that were not started, another run of the scope came in between, which a second look shows.
        var late = plans.Where(plan => plan is { Decision: DueDecision.Due, Started: null }).ToArray();
        if (late.Length > 0)
        {
            var again = await PlanAsync(db, [.. late.Select(plan => plan.Schedule)], now, cancellationToken);
            await StartAsync(db, again, now, cancellationToken);
            foreach (var plan in again.Where(plan => plan is { Decision: DueDecision.Due, Started: null }))
            {
                plan.Decision = plan.Decision is DueDecision.Due { Slot: { } slot }
                    ? new DueDecision.Skipped(slot, "the slot has its run already")
                    : new DueDecision.NotDue("not now: another run begins at this moment");
            }

            plans = [.. plans.Except(late), .. again];
        }

        if (plans.Count > 0)
        {
            await db.SaveDecisionsAsync([.. plans.Select(plan => plan.After(now))], now, cancellationToken);
        }

        await ReportAsync(db, plans, now, cancellationToken);
        await tx.CommitAsync(cancellationToken);
        return new TickTally(
            plans.Count,
            plans.Count(plan => plan.Started is not null),
            plans.Count(plan => plan.Decision is DueDecision.Waiting),
            plans.Count(plan => plan.Decision is DueDecision.Skipped),
            plans.Count(plan => plan.Decision is DueDecision.GaveUp));
    }

    private async Task<IReadOnlyList<Plan>> PlanAsync(
        NpgsqlConnection db, IReadOnlyList<Schedule> schedules, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (schedules.Count == 0)
        {
            return [];
        }

        var rows = (await db.ReadDueFactsAsync([.. schedules.Select(schedule => schedule.Id)], now, cancellationToken))
            .ToDictionary(row => row.ScheduleId);
        Plan[] plans = [.. schedules.Select(schedule => new Plan(schedule, rows[schedule.Id]))];
        await CountAsync(db, plans, cancellationToken);
        await HoldAsync(db, plans, now, cancellationToken);
        Decide(plans, new Dictionary<Guid, int>(), now);

        // Only now is it known which organizations have projects to train again; their places are counted under a lock.
        Guid[] organizations = [.. plans
            .Where(plan => plan.Decision is DueDecision.Due { Trigger: RunTrigger.GeneralUpdate })
            .Select(plan => plan.Schedule.OrganizationId)
            .Distinct()];
        if (organizations.Length > 0)
        {
            await db.LockRetrainingsAsync(organizations, cancellationToken);
            var running = await db.CountRetrainingsAsync(organizations, cancellationToken);
            Decide(plans, running.ToDictionary(), now);
        }

        return plans;
    }

    private async Task CountAsync(NpgsqlConnection db, Plan[] plans, CancellationToken cancellationToken)
    {
        var counted = plans
            .Where(plan => plan.Schedule is { Enabled: true, ThresholdEnabled: true } && plan.Level is not null)
            .ToArray();
        if (counted.Length == 0)
        {
            return;
        }

        var questions = counted.Select(plan =>
            new NewExamplesQuestion(plan.Schedule.Scope, plan.Level!.Value, plan.LastSnapshotAt)); // filtered above
        var answers = await db.CountNewExamplesAsync(rules, [.. questions], cancellationToken);
        foreach (var (plan, answer) in counted.Zip(answers))
        {
            plan.Facts = plan.Facts with { NewExamples = answer };
        }
    }

    private async Task HoldAsync(
        NpgsqlConnection db, Plan[] plans, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var stop = await db.FindSpendingStopAsync(cancellationToken);
        var resumedAt = await db.FindLastResumeAsync(cancellationToken);
        Guid[] organizations = [.. plans.Select(plan => plan.Schedule.OrganizationId).Distinct()];
        var spending = (await db.ReadSpendingAsync(organizations, terms, now, cancellationToken))
            .ToDictionary(each => each.OrganizationId);
        foreach (var plan in plans)
        {
            plan.Facts = plan.Facts with
            {
                SpendingResumedAt = resumedAt,
                Hold = SpendingRule.Hold(stop, spending[plan.Schedule.OrganizationId])
                    ?? plan.RunsOfDay.Refuse(terms.Options.RunsPerDay),
            };
        }
    }

    private void Decide(Plan[] plans, Dictionary<Guid, int> running, DateTimeOffset now)
    {
        foreach (var plan in plans)
        {
            var taken = running.GetValueOrDefault(plan.Schedule.OrganizationId);
            plan.Facts = plan.Facts with { RetrainingsRunning = taken };
            plan.Decision = plan.Parameters is null
                ? new DueDecision.NotDue("the parameters of the schedule cannot be read")
                : DueWork.Decide(plan.Schedule, plan.Facts, options.Value.RetrainingLimit, now);
            if (plan.Decision is DueDecision.Due { Trigger: RunTrigger.GeneralUpdate })
            {
                running[plan.Schedule.OrganizationId] = taken + 1;
            }
        }
    }

    private static async Task StartAsync(
        NpgsqlConnection db, IReadOnlyList<Plan> plans, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var due = plans.Where(plan => plan.Decision is DueDecision.Due).ToDictionary(_ => RunId.New(now));
        var runs = due.Select(each => each.Value.ToRun(each.Key)).ToArray();
        foreach (var run in await db.RequestScheduledRunsAsync(runs, now, cancellationToken))
        {
            due[run.Id].Started = run.Id;
        }
    }

    private async Task ReportAsync(
        NpgsqlConnection db, IReadOnlyList<Plan> plans, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var notices = new List<AdminNotice>();
        foreach (var plan in plans)
        {
            if (plan.Decision is DueDecision.GaveUp gaveUp)
            {
                LogGaveUp(plan.Schedule.Id, gaveUp.RunId, gaveUp.Reason);
                notices.Add(new AdminNotice(
                    plan.Schedule.Scope, "Scheduled training failed", gaveUp.Reason, "warning", gaveUp.RunId));
            }
        }

        if (notices.Count > 0)
        {
            await db.NotifyAdminsAsync(notices, now, cancellationToken);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error, Message = "Schedule {ScheduleId} does not repeat run {RunId} any more: {Reason}")]
    private partial void LogGaveUp(Guid scheduleId, RunId runId, string reason);

    /// <summary>One schedule on its way through a batch.</summary>
    private sealed class Plan
    {
        public Plan(Schedule schedule, DueFactRow row)
        {
            (Schedule, Facts, LastSnapshotAt) = (schedule, row.ToFacts(), row.LastSnapshotAt);
            RunsOfDay = new(row.RunsOfDay, row.OldestRunOfDayAt);
            try
            {
                Parameters = ScheduleParameters.FromJson(schedule.ParametersJson);
                Level = VerificationLevel.Find(Parameters.ToRunParameters().Export);
            }
            catch (JsonException)
            {
                // One row that somebody wrote by hand must not stop the others of its batch; it says so itself.
            }
        }

        public Schedule Schedule { get; }

        public DueFacts Facts { get; set; }

        public DateTimeOffset? LastSnapshotAt { get; }

        public RunsOfDay RunsOfDay { get; }

        public ScheduleParameters? Parameters { get; }

        public VerificationLevel? Level { get; }

        public DueDecision Decision { get; set; } = new DueDecision.NotDue("not looked at");

        public RunId? Started { get; set; }

        public ScheduledRun ToRun(RunId id) =>
            Decision is DueDecision.Due due && Parameters is { } parameters
                ? new(id, Schedule.Scope, Schedule.Id, due.Trigger, due.Slot, due.Reason, parameters.ToRunParameters())
                : throw new InvalidOperationException($"schedule {Schedule.Id} is not due");

        public Schedule After(DateTimeOffset now) => DueWork.After(Schedule, Facts, Decision, Started, now);
    }
}
