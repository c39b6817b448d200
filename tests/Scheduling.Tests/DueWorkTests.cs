using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>When a schedule starts a training, and what it says when it does not.</summary>
public sealed class DueWorkTests
{
    private static readonly DateTimeOffset Now = CronTimesTests.At("2026-06-15T12:00Z");
    private static readonly RunId Run = new(Guid.Parse("0197a000-0000-7000-8000-000000000001"));
    private static readonly RunId Model = new(Guid.Parse("0197a000-0000-7000-8000-000000000002"));

    [Fact]
    public void A_slot_is_due_from_its_instant_on()
    {
        var schedule = Daily() with { NextScheduledAt = Now };

        Assert.Equal(new DueDecision.Due(RunTrigger.Cron, Now, "2026-06-15 12:00 UTC"), Decide(schedule));
        Assert.Equal(
            new DueDecision.NotDue("the next slot is 2026-06-15 12:00 UTC"), Decide(schedule, at: Now.AddTicks(-1)));
    }

    [Fact]
    public void Missed_slots_collapse_into_the_latest_one()
    {
        var due = Assert.IsType<DueDecision.Due>(Decide(Daily() with { NextScheduledAt = Now.AddDays(-3) }));

        Assert.Equal(Now, due.Slot);
        Assert.Equal("2026-06-15 12:00 UTC, and 3 before it that were missed", due.Reason);
    }

    [Fact]
    public void A_slot_of_the_day_before_yesterday_is_let_go_by()
    {
        var schedule = Daily() with { CronExpression = "0 12 13 * *", NextScheduledAt = Now.AddDays(-2) };

        var skipped = Assert.IsType<DueDecision.Skipped>(Decide(schedule));

        Assert.Equal("2026-06-13 12:00 UTC is 48 hours ago; a training starts at most 24 hours late", skipped.Reason);
        Assert.Equal(CronTimesTests.At("2026-07-13T12:00Z"), After(schedule, skipped).NextScheduledAt);
    }

    [Fact]
    public void A_slot_goes_by_while_another_run_of_the_scope_is_at_work()
    {
        var schedule = Daily() with { NextScheduledAt = Now };
        var facts = new DueFacts { LiveRun = new(Run, RunState.Tuning, null, null) };

        var skipped = Assert.IsType<DueDecision.Skipped>(Decide(schedule, facts));

        Assert.Equal($"not now: run {Run} is tuning", skipped.Reason);
        Assert.Equal(Now.AddDays(1), After(schedule, skipped, facts).NextScheduledAt);
    }

    [Fact]
    public void A_slot_that_may_not_spend_goes_by_with_the_figures()
    {
        var schedule = Daily() with { NextScheduledAt = Now };
        var facts = new DueFacts { Hold = "the limit is used up" };

        var skipped = Assert.IsType<DueDecision.Skipped>(Decide(schedule, facts));

        Assert.Equal("2026-06-15 12:00 UTC: the limit is used up", skipped.Reason);
        Assert.Equal(Now.AddDays(1), After(schedule, skipped, facts).NextScheduledAt);
    }

    public static TheoryData<string> OnTheirWay =>
    [
        RunState.Exporting, RunState.Exported, RunState.Creating, RunState.CreateUnknown, RunState.Tuning, RunState.Evaluating,
    ];

    public static TheoryData<string> Others => [.. RunTransitions.All.Except(OnTheirWay.Select(row => row.Data))];

    [Theory]
    [MemberData(nameof(OnTheirWay))]
    public void A_slot_waits_for_the_general_model_that_is_on_its_way_and_is_kept(string state)
    {
        var schedule = Daily() with { NextScheduledAt = Now };
        var facts = new DueFacts { GeneralRun = new(Run, state, null, null) };

        var waiting = Decide(schedule, facts);
        var after = After(schedule, waiting, facts);

        Assert.Equal(
            new DueDecision.Waiting(
                $"2026-06-15 12:00 UTC; waits for the general model, which is being trained: run {Run} is {state}", Now),
            waiting);
        Assert.Equal((ScheduleOutcome.Waiting, Now, Now + DueWork.CheckInterval), (after.LastDecision, after.NextScheduledAt, after.NextCheckAt));
        Assert.Equal<(DateTimeOffset?, DateTimeOffset?)>((null, Now), (schedule.WaitingSlot, after.WaitingSlot));
        Assert.Equal(new DueDecision.Due(RunTrigger.Cron, Now, "2026-06-15 12:00 UTC"), Decide(after, at: Now.AddHours(23)));
        Assert.IsType<DueDecision.Skipped>(Decide(after with { CronExpression = "0 12 15 * *" }, facts, at: Now.AddHours(25)));
    }

    [Theory]
    [MemberData(nameof(Others))]
    public void What_waits_for_its_turn_or_for_a_person_keeps_no_project_waiting(string state) => Assert.IsType<DueDecision.Due>(
        Decide(Daily() with { NextScheduledAt = Now }, new() { GeneralRun = new(Run, state, null, null) }));

    [Fact]
    public void A_threshold_a_repeat_and_a_renewal_wait_as_well_and_nothing_is_used_up()
    {
        var general = new DueFacts { GeneralRun = new(Run, RunState.Tuning, null, null) };
        var threshold = Daily() with { CronEnabled = false, ThresholdEnabled = true, ThresholdCount = 10 };
        var repeat = Daily() with { NextScheduledAt = Now.AddDays(1), OpenRunId = Model, Retries = 1 };
        var renewal = Daily() with
        {
            ProjectId = Guid.NewGuid(),
            NextScheduledAt = Now.AddDays(1),
            RetrainOnGeneralUpdate = true,
            ActiveSince = Now.AddDays(-9),
        };
        (Schedule Schedule, DueFacts Facts)[] cases =
        [
            (threshold, general with { NewExamples = 12 }),
            (repeat, general with { OpenRun = new(Model, RunState.Failed, Now.AddHours(-5), "quota") }),
            (renewal, general with { GeneralModel = new(Model, Now.AddDays(-1)) }),
        ];

        Assert.All(cases, each =>
        {
            var waiting = Assert.IsType<DueDecision.Waiting>(Decide(each.Schedule, each.Facts));
            Assert.EndsWith($"waits for the general model, which is being trained: run {Run} is tuning", waiting.Reason, StringComparison.Ordinal);
            var after = After(each.Schedule, waiting, each.Facts);
            Assert.Equal(Now + DueWork.CheckInterval, after.NextCheckAt);
            Assert.IsType<DueDecision.Due>(Decide(after, each.Facts with { GeneralRun = null }, at: Now.AddHours(1)));
        });
    }

    [Fact]
    public void What_is_no_slot_begins_when_nothing_holds_it_any_more()
    {
        var schedule = Daily() with { CronEnabled = false, ThresholdEnabled = true, ThresholdCount = 10 };
        var facts = new DueFacts { NewExamples = 12, Hold = "the limit is used up" };

        var held = Assert.IsType<DueDecision.NotDue>(Decide(schedule, facts));
        var after = After(schedule, held, facts);

        Assert.Equal("not now: the limit is used up; otherwise because of 12 of 10 new examples", held.Reason);
        Assert.Equal(
            new DueDecision.Due(RunTrigger.Threshold, null, "12 of 10 new examples"),
            Decide(after, facts with { Hold = null }, at: Now.AddHours(1)));
    }

    [Theory]
    [InlineData("2026-06-01T00:00Z", false)]
    [InlineData("2026-05-31T23:59Z", true)]
    [InlineData("2025-12-31T23:59Z", true)]
    public void What_last_months_limit_refused_is_tried_again(string refusedAt, bool isDue)
    {
        var refused = CronTimesTests.At(refusedAt);
        var threshold = Daily() with
        {
            CronEnabled = false,
            ThresholdEnabled = true,
            ThresholdCount = 10,
            TriedExamples = 12,
            TriedAt = refused,
        };
        var renewal = Daily() with { CronEnabled = false, RetrainOnGeneralUpdate = true, AnsweredModelId = Model };
        renewal = renewal with { ActiveSince = refused.AddDays(-2) };
        var facts = new DueFacts
        {
            NewExamples = 12,
            GeneralModel = new(Model, refused.AddDays(-1)),
            LastRunCreatedAt = refused,
            RefusedSpendingAt = refused,
        };

        Assert.Equal(isDue, Decide(threshold, facts with { GeneralModel = null }) is DueDecision.Due);
        Assert.Equal(isDue, Decide(renewal, facts) is DueDecision.Due);

        // The model was answered, and what was refused since was something else.
        Assert.IsNotType<DueDecision.Due>(Decide(renewal, facts with { LastSuccessAt = refused.AddHours(-1) }));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(-1, false)]
    public void What_a_stop_refused_is_tried_again_when_it_is_over(int hours, bool isDue)
    {
        var schedule = Daily() with
        {
            CronEnabled = false,
            ThresholdEnabled = true,
            ThresholdCount = 10,
            TriedExamples = 12,
            TriedAt = Now.AddHours(-9),
        };
        var facts = new DueFacts
        {
            NewExamples = 12,
            RefusedSpendingAt = Now.AddHours(-5),
            SpendingResumedAt = Now.AddHours(-5 + hours),
        };

        Assert.Equal(isDue, Decide(schedule, facts) is DueDecision.Due);
    }

    [Fact]
    public void What_is_not_due_says_so_whatever_holds() => Assert.Equal(
        new DueDecision.NotDue("the next slot is 2026-06-15 13:00 UTC"),
        Decide(Daily() with { CronExpression = "0 13 * * *", NextScheduledAt = Now.AddHours(1) }, new() { Hold = "stopped" }));

    [Fact]
    public void A_schedule_that_was_just_switched_on_waits_for_its_first_slot() =>
        Assert.IsType<DueDecision.NotDue>(Decide(Daily() with { ActiveSince = Now, NextScheduledAt = Now.AddHours(1) }));

    [Fact]
    public void A_started_slot_never_comes_again_when_the_clock_goes_back()
    {
        var schedule = Daily() with { NextScheduledAt = Now };
        var started = After(schedule, Decide(schedule), started: Run);

        foreach (var hours in (int[])[0, -1, -23, -24, -25, -1000])
        {
            var at = Now.AddHours(hours);
            var decision = Decide(started with { OpenRunId = null }, at: at);
            Assert.IsType<DueDecision.NotDue>(decision);
            Assert.Equal(Now.AddDays(1), DueWork.After(started, new(), decision, null, at).NextScheduledAt);
        }
    }

    [Fact]
    public void A_threshold_is_reached_by_its_last_example()
    {
        Assert.Equal(new DueDecision.NotDue("143 of 200 new examples"), Decide(Threshold(), New(143)));
        Assert.IsType<DueDecision.NotDue>(Decide(Threshold(), New(199)));
        Assert.Equal(
            new DueDecision.Due(RunTrigger.Threshold, null, "200 of 200 new examples"), Decide(Threshold(), New(200)));
    }

    [Fact]
    public void What_is_not_counted_reaches_no_threshold() => Assert.Equal(
        new DueDecision.NotDue("the examples are not counted yet"), Decide(Threshold(), new DueFacts()));

    [Fact]
    public void A_threshold_run_that_came_to_nothing_waits_for_as_many_examples_again()
    {
        var tried = After(Threshold(), Decide(Threshold(), New(250)), New(250), Run);

        var facts = New(300) with { OpenRun = new(Run, RunState.Skipped, Now, "too little") };
        Assert.Equal(
            new DueDecision.NotDue("50 of 200 new examples, beside 250 that the last run began with"),
            Decide(tried, facts));
        Assert.IsType<DueDecision.Due>(Decide(tried, facts with { NewExamples = 450 }));
        Assert.IsType<DueDecision.Due>(Decide(tried, facts with { NewExamples = 200, LastSuccessAt = Now.AddHours(1) }));
    }

    [Fact]
    public void A_threshold_does_not_start_beside_a_live_run() => Assert.Equal(
        new DueDecision.NotDue($"not now: run {Run} is needs_operator"),
        Decide(Threshold(), New(500) with { LiveRun = new(Run, RunState.NeedsOperator, null, "two jobs") }));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 4)]
    [InlineData(2, 16)]
    public void A_failed_run_is_repeated_after_a_longer_wait_each_time(int retries, int hours)
    {
        var schedule = Daily() with { OpenRunId = Run, Retries = retries };
        var facts = Failed(Now.AddHours(-hours));

        Assert.Equal(
            new DueDecision.Due(RunTrigger.Retry, null, $"repeat {retries + 1} of 3 after run {Run} failed: quota"),
            Decide(schedule, facts));
        Assert.Equal(
            $"repeat {retries + 1} of 3 is due at 2026-06-15 12:01 UTC, after run {Run} failed: quota",
            Assert.IsType<DueDecision.NotDue>(Decide(schedule, Failed(Now.AddHours(-hours).AddMinutes(1)))).Reason);
        Assert.Equal(retries + 1, After(schedule, Decide(schedule, facts), facts, Model).Retries);
    }

    [Fact]
    public void After_three_repeats_it_gives_up_once()
    {
        var schedule = Daily() with { OpenRunId = Run, Retries = 3 };
        var facts = Failed(Now);

        var gaveUp = Assert.IsType<DueDecision.GaveUp>(Decide(schedule, facts));
        var after = After(schedule, gaveUp, facts);

        Assert.Equal($"run {Run} failed, the last of 3 repeats: quota", gaveUp.Reason);
        Assert.Equal((null, 0, ScheduleOutcome.GaveUp), (after.OpenRunId, after.Retries, after.LastDecision));
        Assert.IsType<DueDecision.NotDue>(Decide(after, facts));
    }

    [Fact]
    public void A_slot_takes_the_place_of_a_repeat_and_counts_anew()
    {
        var schedule = Daily() with { OpenRunId = Run, Retries = 2, NextScheduledAt = Now };
        var facts = Failed(Now.AddHours(-2));

        var due = Assert.IsType<DueDecision.Due>(Decide(schedule, facts));

        Assert.Equal(RunTrigger.Cron, due.Trigger);
        Assert.Equal(0, After(schedule, due, facts, Model).Retries);
    }

    [Theory]
    [InlineData(RunState.Succeeded)]
    [InlineData(RunState.Skipped)]
    [InlineData(RunState.Cancelled)]
    public void What_did_not_fail_is_not_repeated(string state)
    {
        var schedule = Daily() with { OpenRunId = Run, Retries = 1 };
        var facts = new DueFacts { OpenRun = new(Run, state, Now.AddDays(-1), "so it is") };

        var decision = Assert.IsType<DueDecision.NotDue>(Decide(schedule, facts));

        Assert.Null(After(schedule, decision, facts).OpenRunId);
    }

    [Fact]
    public void A_success_by_hand_ends_the_repeats()
    {
        var schedule = Daily() with { OpenRunId = Run, Retries = 1 };
        var facts = Failed(Now.AddDays(-2)) with { LastSuccessAt = Now.AddDays(-1) };

        Assert.Null(After(schedule, Assert.IsType<DueDecision.NotDue>(Decide(schedule, facts)), facts).OpenRunId);
    }

    [Fact]
    public void A_new_general_model_starts_a_project_that_wants_it_once()
    {
        var schedule = OnUpdate();
        var facts = Renewed();

        var due = Assert.IsType<DueDecision.Due>(Decide(schedule, facts));

        Assert.Equal((RunTrigger.GeneralUpdate, $"the general model {Model} is new"), (due.Trigger, due.Reason));
        Assert.IsType<DueDecision.NotDue>(Decide(After(schedule, due, facts, Run), facts));
    }

    [Fact]
    public void A_general_model_from_before_the_switch_or_before_the_last_training_is_not_new()
    {
        Assert.IsType<DueDecision.NotDue>(Decide(OnUpdate() with { ActiveSince = Now }, Renewed()));
        Assert.IsType<DueDecision.NotDue>(Decide(OnUpdate(), Renewed() with { LastRunCreatedAt = Now.AddMinutes(-30) }));
    }

    [Fact]
    public void An_organization_starts_projects_that_have_a_model_even_where_the_schedule_is_off()
    {
        var off = Daily() with { Enabled = false, CronEnabled = false, NextScheduledAt = null };
        var facts = Renewed() with { OrganizationRetrainsSince = Now.AddDays(-1), HasModel = true };

        Assert.IsType<DueDecision.Due>(Decide(off, facts));
        Assert.IsType<DueDecision.NotDue>(Decide(off, facts with { HasModel = false }));
        Assert.IsType<DueDecision.NotDue>(Decide(off, facts with { OrganizationRetrainsSince = Now }));
    }

    [Fact]
    public void A_retraining_waits_for_its_place_in_the_organization()
    {
        var facts = Renewed() with { RetrainingsRunning = 5 };

        var waiting = Assert.IsType<DueDecision.Waiting>(Decide(OnUpdate(), facts));

        Assert.Equal(
            $"the general model {Model} is new; waits, because 5 of 5 retrainings of the organization are running",
            waiting.Reason);
        Assert.Equal(Now + DueWork.CheckInterval, After(OnUpdate(), waiting, facts).NextCheckAt);
        Assert.IsType<DueDecision.Due>(Decide(OnUpdate(), facts with { RetrainingsRunning = 4 }));
    }

    [Fact]
    public void A_schedule_says_that_it_is_off_or_has_nothing_to_wait_for()
    {
        var off = Threshold() with { Enabled = false };
        Assert.Equal("the schedule is switched off", Decide(off, New(500)).Reason);
        Assert.Null(After(off, Decide(off, New(500)), New(500)).NextCheckAt);
        Assert.Equal(
            "nothing that starts a training is switched on",
            Decide(Daily() with { CronEnabled = false, NextScheduledAt = null }).Reason);
    }

    [Fact]
    public void What_is_deleted_trains_nothing_and_is_not_looked_at_again()
    {
        var schedule = Threshold();
        var facts = New(500) with { IsDeleted = true };

        Assert.Null(After(schedule, Assert.IsType<DueDecision.NotDue>(Decide(schedule, facts)), facts).NextCheckAt);
    }

    [Fact]
    public void A_zone_that_this_machine_does_not_know_any_more_is_said_and_kept()
    {
        var schedule = Daily() with { TimeZone = "Europe/Gone", NextScheduledAt = Now };

        var decision = Decide(schedule);
        var after = After(schedule, decision);

        Assert.Equal("'0 12 * * *' in Europe/Gone cannot be read", decision.Reason);
        Assert.Equal((Now, Now + DueWork.CheckInterval), (after.NextScheduledAt, after.NextCheckAt));
    }

    [Fact]
    public void A_schedule_is_next_looked_at_when_something_can_have_changed()
    {
        Assert.Equal(Now.AddDays(1), CheckAfter(Daily() with { NextScheduledAt = Now.AddDays(1) }));
        Assert.Equal(Now + DueWork.CheckInterval, CheckAfter(Threshold()));
        Assert.Equal(Now.AddMinutes(5), CheckAfter(Threshold() with
        {
            CronEnabled = true,
            CronExpression = "5 12 * * *",
            TimeZone = "UTC",
            NextScheduledAt = Now.AddMinutes(5),
        }));

        static DateTimeOffset? CheckAfter(Schedule schedule) => After(schedule, Decide(schedule)).NextCheckAt;
    }

    internal static Schedule Daily() => new()
    {
        Id = Guid.Empty,
        OrganizationId = Guid.Empty,
        ProjectId = Guid.Empty,
        Enabled = true,
        ThresholdEnabled = false,
        ThresholdCount = 200,
        CronEnabled = true,
        CronExpression = "0 12 * * *",
        TimeZone = "UTC",
        RetrainOnGeneralUpdate = false,
        NotifyProjectAdmins = false,
        RetrainProjects = false,
        ParametersJson = "{}",
        ActiveSince = Now.AddYears(-1),
        NextScheduledAt = Now.AddDays(1),
        Retries = 0,
        RowVersion = 1,
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    private static Schedule Threshold() =>
        Daily() with { CronEnabled = false, NextScheduledAt = null, ThresholdEnabled = true };

    private static Schedule OnUpdate() =>
        Daily() with { CronEnabled = false, NextScheduledAt = null, RetrainOnGeneralUpdate = true };

    private static DueFacts New(long examples) => new() { NewExamples = examples };

    private static DueFacts Failed(DateTimeOffset endedAt) =>
        new() { OpenRun = new(Run, RunState.Failed, endedAt, "quota") };

    private static DueFacts Renewed() =>
        new() { GeneralModel = new(Model, Now.AddHours(-1)), LastRunCreatedAt = Now.AddDays(-7) };

    private static DueDecision Decide(Schedule schedule, DueFacts? facts = null, DateTimeOffset? at = null) =>
        DueWork.Decide(schedule, facts ?? new(), retrainingLimit: 5, at ?? Now);

    private static Schedule After(
        Schedule schedule, DueDecision decision, DueFacts? facts = null, RunId? started = null) =>
        DueWork.After(
            schedule, facts ?? new(), decision, decision is DueDecision.Due ? started ?? Run : null, Now);
}
