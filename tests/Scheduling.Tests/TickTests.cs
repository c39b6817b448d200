using FeedbackLoop.Runs;
using FeedbackLoop.Statistics;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>Ticks over real rows: what they start, what they say, and what they do not do twice.</summary>
public sealed class TickTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly ScheduleSettings Daily =
        new() { Enabled = true, CronEnabled = true, CronExpression = "0 2 * * *", TimeZone = "UTC" };

    private static readonly ScheduleSettings AfterTwo = new() { Enabled = true, ThresholdEnabled = true, ThresholdCount = 2 };

    private World _world = null!; // xunit initializes it before each test

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_slot_becomes_a_run_with_its_message_and_its_audit_entry()
    {
        var scope = await _world.AddScopeAsync();
        var schedule = await _world.SaveAsync(scope, Daily with { Parameters = new(0.9, Epochs: 3) });
        _world.Time.Advance(TimeSpan.FromHours(15));

        Assert.Equal("1 schedules: 1 started, 0 waiting, 0 skipped, 0 given up", (await _world.TickAsync()).ToString());

        var run = Assert.Single(await _world.ListRunsAsync());
        Assert.Equal((RunTrigger.Cron, $"schedule:{schedule.Id}"), (run.Trigger, run.RequestedBy));
        Assert.Equal((0.9, 3), (run.Parameters.Export.MinConfidence, run.Parameters.Tuning.Epochs!.Value));
        Assert.Equal(
            CronTimesTests.At("2026-06-16T02:00Z").UtcDateTime,
            await _world.Rows.ScalarAsync<DateTime>("select slot from ml.training_runs", Stop));
        Assert.Equal(
            new PublishedMessage("export-requested", $$"""{"runId":"{{run.Id}}"}"""), Assert.Single(_world.Published.Messages));
        Assert.Equal(
            $"schedule:{schedule.Id} start-training run {run.Id} 2026-06-16 02:00 UTC",
            await _world.Rows.ScalarAsync<string>(
                "select concat_ws(' ', actor, action, subject, reason) from ml.audit_log where action <> 'change-schedule'",
                Stop));
        Assert.Equal(
            run.Parameters,
            RunParameters.FromJson(await _world.Rows.ScalarAsync<string>(
                "select parameters::text from ml.audit_log where action = 'start-training'", Stop)));
        var after = await _world.FindAsync(scope);
        Assert.Equal(
            (ScheduleOutcome.Started, "2026-06-16 02:00 UTC", run.Id),
            (after.LastDecision, after.LastDecisionReason, after.OpenRunId));
        Assert.Equal(CronTimesTests.At("2026-06-17T02:00Z"), after.NextScheduledAt);
    }

    [Theory]
    [InlineData(RunState.Failed)]
    [InlineData(RunState.Succeeded)]
    public async Task A_project_waits_for_its_general_model_and_its_slot_is_not_lost(string end)
    {
        var scope = await _world.AddScopeAsync();
        var other = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        await _world.SaveAsync(other, Daily);
        var general = await RequestGeneralAsync(scope);
        await MoveAsync(general, RunState.Tuning);
        _world.Time.Advance(TimeSpan.FromHours(15));

        await _world.TickAsync();

        Assert.Equal(other.ProjectId, Assert.Single(await _world.ListRunsAsync()).ProjectId);
        var waiting = await _world.FindAsync(scope);
        Assert.Equal(
            (ScheduleOutcome.Waiting,
            $"2026-06-16 02:00 UTC; waits for the general model, which is being trained: run {general} is tuning"),
            (waiting.LastDecision, waiting.LastDecisionReason));
        Assert.Equal(CronTimesTests.At("2026-06-16T02:00Z"), waiting.NextScheduledAt);

        await MoveAsync(general, RunState.Evaluating);
        _world.Time.Advance(TimeSpan.FromHours(1));
        await _world.TickAsync();
        Assert.Single(await _world.ListRunsAsync());

        await MoveAsync(general, end);
        _world.Time.Advance(TimeSpan.FromHours(1));
        await _world.TickAsync();

        var run = (await _world.ListRunsAsync()).Single(each => each.ProjectId == scope.ProjectId);
        Assert.Equal(RunTrigger.Cron, run.Trigger);
        Assert.Equal(CronTimesTests.At("2026-06-17T02:00Z"), (await _world.FindAsync(scope)).NextScheduledAt);
    }

    [Fact]
    public async Task A_project_does_not_wait_for_a_general_model_that_waits_for_a_person()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        await MoveAsync(await RequestGeneralAsync(scope), RunState.NeedsOperator);
        _world.Time.Advance(TimeSpan.FromHours(15));

        await _world.TickAsync();

        Assert.Equal(ScheduleOutcome.Started, (await _world.FindAsync(scope)).LastDecision);
    }

    [Fact]
    public async Task A_tick_starts_nothing_that_may_not_spend()
    {
        var scope = await _world.AddScopeAsync();
        var general = scope with { ProjectId = null };
        var free = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        await _world.SaveAsync(general, new() { MonthlyLimitUsd = 0 });
        await _world.SaveAsync(free, Daily);
        _world.Time.Advance(TimeSpan.FromHours(15));

        await _world.TickAsync();

        Assert.Equal(free.ProjectId, Assert.Single(await _world.ListRunsAsync()).ProjectId);
        Assert.Equal(
            (ScheduleOutcome.Skipped,
            "2026-06-16 02:00 UTC: the organization's monthly limit of 0.00 USD is used up: 0.00 USD are committed in June 2026"),
            Decision(await _world.FindAsync(scope)));

        await _world.Rows.ExecuteAsync(
            "insert into ml.spending_stops (stopped_at, stopped_by, reason) values ('2026-06-16T08:00Z', 'ops', 'audit')", Stop);
        _world.Time.Advance(TimeSpan.FromDays(1));
        await _world.TickAsync();

        Assert.Single(await _world.ListRunsAsync());
        Assert.Equal(
            (ScheduleOutcome.Skipped, "2026-06-17 02:00 UTC: all spending is stopped since 2026-06-16 08:00 UTC: audit"),
            Decision(await _world.FindAsync(scope)));

        static (string?, string?) Decision(Schedule schedule) => (schedule.LastDecision, schedule.LastDecisionReason);
    }

    [Fact]
    public async Task The_eleventh_training_of_a_day_waits_for_the_next_slot_and_the_page_says_why()
    {
        _world.Spending = new() { RunsPerDay = 2 };
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        for (var i = 0; i < 2; i++)
        {
            await _world.AddModelAsync(scope);
            _world.Time.Advance(TimeSpan.FromHours(1));
        }

        _world.Time.Advance(TimeSpan.FromHours(13));
        await _world.TickAsync();

        var after = await _world.FindAsync(scope);
        Assert.Equal(
            (ScheduleOutcome.Skipped,
            "2026-06-16 02:00 UTC: 2 trainings have begun within 24 hours, and 2 may; the next one may begin at 2026-06-16 12:00 UTC"),
            (after.LastDecision, after.LastDecisionReason));
        Assert.Empty(await _world.ListRunsAsync());

        _world.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, (await _world.TickAsync()).Started);
    }

    [Fact]
    public async Task A_general_training_that_waits_for_a_person_keeps_no_project_waiting()
    {
        var project = await _world.AddScopeAsync();
        await AddWaitingAsync(project with { ProjectId = null }, "manual");
        await _world.SaveAsync(project, Daily);
        _world.Time.Advance(TimeSpan.FromHours(15));

        Assert.Equal(1, (await _world.TickAsync()).Started);
    }

    [Fact]
    public async Task A_retraining_that_waits_for_a_person_takes_no_place_of_the_others()
    {
        _world.Settings = new() { RetrainingLimit = 1 };
        var first = await _world.AddScopeAsync();
        var second = first with { ProjectId = await _world.Rows.AddProjectAsync(first.OrganizationId, Stop) };
        await _world.SaveAsync(second, new() { Enabled = true, RetrainOnGeneralUpdate = true });
        _world.Time.Advance(TimeSpan.FromHours(1));
        await _world.AddModelAsync(first with { ProjectId = null });
        await AddWaitingAsync(first, "general_update");

        Assert.Equal(1, (await _world.TickAsync()).Started);
    }

    [Fact]
    public async Task What_nobody_has_approved_does_not_come_back_with_the_next_month()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, new() { Enabled = true, RetrainOnGeneralUpdate = true });
        _world.Time.Advance(TimeSpan.FromHours(1));
        await _world.AddModelAsync(scope with { ProjectId = null });
        await _world.TickAsync();
        await _world.Rows.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            update ml.training_runs
            set    state = 'skipped', reason = 'nobody', dataset_id = gen_random_uuid(), approval_asked_usd = 60,
                   ended_at = '{_world.Time.GetUtcNow():O}'
            where  id = '{Assert.Single(await _world.ListRunsAsync()).Id}';
            set session_replication_role = default
            """,
            Stop);

        _world.Time.Advance(TimeSpan.FromDays(40));
        await _world.TickAsync();

        Assert.Single(await _world.ListRunsAsync());
    }

    [Fact]
    public async Task A_run_that_was_refused_its_money_comes_back_when_there_is_some()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, new() { Enabled = true, RetrainOnGeneralUpdate = true });
        _world.Time.Advance(TimeSpan.FromHours(1));
        await _world.AddModelAsync(scope with { ProjectId = null });
        await _world.TickAsync();
        var first = Assert.Single(await _world.ListRunsAsync());
        await _world.Rows.ExecuteAsync(
            $"""
            set session_replication_role = replica;
            update ml.training_runs
            set    state = 'skipped', reason = 'the limit', dataset_id = gen_random_uuid(), ended_at = '{_world.Time.GetUtcNow():O}'
            where  id = '{first.Id}';
            set session_replication_role = default
            """,
            Stop);

        _world.Time.Advance(TimeSpan.FromDays(15));
        await _world.TickAsync();
        Assert.Single(await _world.ListRunsAsync());

        await _world.Rows.ExecuteAsync(
            $"""
            insert into ml.spending_stops (stopped_at, stopped_by, reason, resumed_at, resumed_by)
            values ('{World.Start:O}', 'ops', 'audit', '{_world.Time.GetUtcNow():O}', 'ops')
            """,
            Stop);
        _world.Time.Advance(TimeSpan.FromHours(1));
        await _world.TickAsync();
        Assert.Equal(2, (await _world.ListRunsAsync()).Count);
    }

    [Fact]
    public async Task A_second_delivery_of_the_tick_changes_nothing()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        _world.Time.Advance(TimeSpan.FromHours(15));
        await _world.TickAsync();
        var before = await _world.FindAsync(scope);

        Assert.Equal(0, (await _world.TickAsync()).LookedAt);

        Assert.Equal(before, await _world.FindAsync(scope));
        Assert.Single(await _world.ListRunsAsync());
    }

    [Fact]
    public async Task A_run_by_hand_lets_the_slot_go_by_and_the_page_says_why()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        _world.Time.Advance(TimeSpan.FromHours(15));
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        var byHand = Assert.IsType<RunRequestOutcome.Accepted>(await db.RequestRunAsync(
            new(scope, RunPurpose.Training, RunTrigger.Manual, "user:tester", RunParameters.Default, Key: null),
            _world.Time.GetUtcNow(), Stop));

        Assert.Equal(1, (await _world.TickAsync()).Skipped);

        var after = await _world.FindAsync(scope);
        Assert.Equal(
            (ScheduleOutcome.Skipped, $"not now: run {byHand.RunId} is requested"),
            (after.LastDecision, after.LastDecisionReason));
        Assert.Equal(CronTimesTests.At("2026-06-17T02:00Z"), after.NextScheduledAt);
    }

    [Fact]
    public async Task An_export_of_the_scope_holds_nothing_up_even_in_the_same_millisecond()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        _world.Time.Advance(TimeSpan.FromHours(15));
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        await db.RequestRunAsync(
            new(scope, RunPurpose.Export, RunTrigger.Manual, "user:tester", RunParameters.Default, Key: null),
            _world.Time.GetUtcNow(), Stop);

        Assert.Equal(1, (await _world.TickAsync()).Started);
    }

    [Fact]
    public async Task A_general_and_a_project_schedule_each_start_their_own_scope()
    {
        var project = await _world.AddScopeAsync();
        var general = new Scope(project.OrganizationId, null);
        await _world.SaveAsync(project, Daily);
        await _world.SaveAsync(general, Daily);
        _world.Time.Advance(TimeSpan.FromHours(15));

        await _world.TickAsync();

        Assert.Equal(
            [general, project], (await _world.ListRunsAsync()).Select(run => run.Scope).OrderBy(scope => scope.ProjectId));
    }

    [Fact]
    public async Task What_is_switched_on_again_does_not_catch_up()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        await _world.SaveAsync(scope, Daily with { Enabled = false });
        _world.Time.Advance(TimeSpan.FromHours(20));
        await _world.SaveAsync(scope, Daily);

        Assert.Equal(0, (await _world.TickAsync()).Started);

        Assert.Equal("the next slot is 2026-06-17 02:00 UTC", (await _world.FindAsync(scope)).LastDecisionReason);
    }

    [Fact]
    public async Task A_clock_that_goes_back_starts_nothing_again()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        _world.Time.Advance(TimeSpan.FromHours(15));
        await _world.TickAsync();
        await _world.EndAsync(Assert.Single(await _world.ListRunsAsync()).Id, RunState.Skipped);

        // Switched off and on again by a clock of the day before: the next slot is one that had its run.
        _world.Time.AdjustTime(World.Start);
        await _world.SaveAsync(scope, Daily with { Enabled = false });
        await _world.SaveAsync(scope, Daily);
        _world.Time.AdjustTime(World.Start.AddHours(15));
        var tally = await _world.TickAsync();

        Assert.Equal((0, 1), (tally.Started, tally.Skipped));
        Assert.Equal("the slot has its run already", (await _world.FindAsync(scope)).LastDecisionReason);
    }

    [Fact]
    public async Task Examples_are_counted_up_to_the_threshold_and_since_the_last_training()
    {
        var rows = new KnowledgeRows(_world.Rows.Database);
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, AfterTwo);
        await _world.TickAsync();
        Assert.Equal("the examples are not counted yet", (await _world.FindAsync(scope)).LastDecisionReason);

        await AddCountedAsync(rows, scope, 1);
        await TickInAnHourAsync();
        Assert.Equal("1 of 2 new examples", (await _world.FindAsync(scope)).LastDecisionReason);

        await AddCountedAsync(rows, scope, 1);
        await TickInAnHourAsync();
        Assert.Equal("2 of 2 new examples", (await _world.FindAsync(scope)).LastDecisionReason);
        Assert.Equal(RunTrigger.Threshold, Assert.Single(await _world.ListRunsAsync()).Trigger);
    }

    [Fact]
    public async Task Counts_for_many_scopes_at_once_are_those_of_the_statistics()
    {
        var rows = new KnowledgeRows(_world.Rows.Database);
        var first = await _world.AddScopeAsync();
        var second = new Scope(first.OrganizationId, await _world.Rows.AddProjectAsync(first.OrganizationId, Stop));
        var other = await _world.AddScopeAsync();
        await AddCountedAsync(rows, first, 3);
        await AddCountedAsync(rows, second, 2);
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        var now = await _world.Rows.Clock.NowAsync(Stop);
        var level = VerificationLevel.Find(0.85)!.Value;
        NewExamplesQuestion[] questions =
        [
            new(first, level, null), new(other, level, null), new(new(first.OrganizationId, null), level, null),
            new(second, level, now.AddMinutes(-5)), new(second, level, now.AddMinutes(5)), new(second, level, now.AddDays(-2)),
            new(first, VerificationLevel.PersonOnly, null),
        ];

        var answers = await db.CountNewExamplesAsync(CountingRules.Default, questions, Stop);

        var people = (await new StatisticsReader(_world.Rows.Database, new StatisticsFold(_world.Rows.Database, CountingRules.Default))
            .ReadProjectAsync(first.OrganizationId, first.ProjectId!.Value, VerificationLevel.PersonOnly, Stop))!.ExamplesAvailable;
        Assert.Equal([3, null, 5, 2, 0, 2, people], answers);
    }

    [Fact]
    public async Task A_failed_run_is_repeated_three_times_and_then_the_admins_are_told()
    {
        var scope = await _world.AddScopeAsync();
        var admin = await AddPersonAsync();
        await _world.Rows.ExecuteAsync(
            $"""
            insert into kb.project_memberships (project_id, user_id, role)
            values ('{scope.ProjectId}', '{admin}', 'project_admin')
            """,
            Stop);
        await _world.SaveAsync(scope, Daily with { CronExpression = "0 13 1,15 * *" });
        _world.Time.Advance(TimeSpan.FromHours(1));
        await _world.TickAsync();

        foreach (var hours in (int[])[1, 4, 16])
        {
            await EndLiveRunAsync(RunState.Failed);
            _world.Time.Advance(TimeSpan.FromHours(hours) - TimeSpan.FromMinutes(1));
            Assert.Equal(0, (await _world.TickAsync()).Started);
            _world.Time.Advance(TimeSpan.FromMinutes(31));
            Assert.Equal(1, (await _world.TickAsync()).Started);
        }

        var last = await EndLiveRunAsync(RunState.Failed);
        _world.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, (await _world.TickAsync()).GaveUp);
        _world.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, (await _world.TickAsync()).LookedAt);

        Assert.Equal(
            [RunTrigger.Cron, RunTrigger.Retry, RunTrigger.Retry, RunTrigger.Retry],
            (await _world.ListRunsAsync()).Select(run => run.Trigger));
        Assert.Equal(
            $"{admin} run {last} failed, the last of 3 repeats: quota",
            await _world.Rows.ScalarAsync<string>("select user_id || ' ' || message from kb.notifications", Stop));
    }

    [Fact]
    public async Task A_row_that_somebody_wrote_by_hand_stops_no_other()
    {
        var broken = await _world.AddScopeAsync();
        var well = await _world.AddScopeAsync();
        await _world.SaveAsync(broken, Daily);
        await _world.SaveAsync(well, Daily);
        await _world.Rows.ExecuteAsync(
            $"update ml.training_schedules set parameters = '[]' where project_id = '{broken.ProjectId}'", Stop);
        _world.Time.Advance(TimeSpan.FromHours(15));

        Assert.Equal(1, (await _world.TickAsync()).Started);

        Assert.Equal(
            "the parameters of the schedule cannot be read",
            await _world.Rows.ScalarAsync<string>(
                $"select last_decision_reason from ml.training_schedules where project_id = '{broken.ProjectId}'", Stop));
    }

    [Theory]
    [InlineData("update kb.projects set deleted_at = now()")]
    [InlineData("update kb.orgs set deleted_at = now()")]
    [InlineData("delete from kb.projects")]
    [InlineData("delete from kb.orgs")]
    [InlineData("with o as (insert into kb.orgs (name) values ('o') returning id) update kb.projects set organization_id = o.id from o")]
    public async Task What_is_deleted_is_not_trained(string deletion)
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        await _world.Rows.ExecuteAsync(deletion, Stop);
        _world.Time.Advance(TimeSpan.FromHours(15));

        var tally = await _world.TickAsync();

        Assert.Equal((1, 0), (tally.LookedAt, tally.Started));
        Assert.Null((await _world.FindAsync(scope)).NextCheckAt);
    }

    [Fact]
    public async Task More_schedules_than_a_batch_holds_are_all_looked_at()
    {
        _world.Settings = new() { BatchSize = 2 };
        for (var i = 0; i < 5; i++)
        {
            await _world.SaveAsync(await _world.AddScopeAsync(), Daily);
        }

        _world.Time.Advance(TimeSpan.FromHours(15));

        Assert.Equal((5, 5), ((await _world.TickAsync()).Started, (await _world.ListRunsAsync()).Count));
    }

    [Fact]
    public async Task Four_ticks_at_once_start_each_slot_once()
    {
        const int Schedules = 120;
        _world.Settings = new() { BatchSize = 7 };
        for (var i = 0; i < Schedules; i++)
        {
            await _world.SaveAsync(await _world.AddScopeAsync(), Daily);
        }

        for (var day = 0; day < 3; day++)
        {
            _world.Time.Advance(TimeSpan.FromDays(1));
            var tallies = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(_world.TickAsync)));

            Assert.Equal(Schedules, tallies.Sum(tally => tally.Started));
            await _world.Rows.ExecuteAsync(
                "update ml.training_runs set state = 'skipped', reason = 'few', ended_at = now() where state = 'requested'",
                Stop);
        }

        Assert.Equal(
            3L * Schedules,
            await _world.Rows.ScalarAsync<long>("select count(distinct (schedule_id, slot)) from ml.training_runs", Stop));
        Assert.Equal(3L * Schedules, await _world.Rows.ScalarAsync<long>("select count(*) from ml.outbox", Stop));
    }

    [Fact]
    public async Task Ticks_and_people_at_once_leave_one_live_run_for_each_scope()
    {
        const int Schedules = 40;
        var scopes = new List<Scope>();
        for (var i = 0; i < Schedules; i++)
        {
            scopes.Add(await _world.AddScopeAsync());
            await _world.SaveAsync(scopes[i], Daily);
        }

        _world.Time.Advance(TimeSpan.FromHours(15));
        var people = scopes.Select(scope => Task.Run(async () =>
        {
            await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
            return await db.RequestRunAsync(
                new(scope, RunPurpose.Training, RunTrigger.Manual, "user:tester", RunParameters.Default, Key: null),
                _world.Time.GetUtcNow(), Stop);
        }));
        var ticks = Enumerable.Range(0, 4).Select(_ => Task.Run(_world.TickAsync));
        var all = (People: Task.WhenAll(people), Ticks: Task.WhenAll(ticks));
        await Task.WhenAll(all.People, all.Ticks);

        var byHand = (await all.People).Count(outcome => outcome is RunRequestOutcome.Accepted);
        var tallies = await all.Ticks;
        Assert.Equal(Schedules, byHand + tallies.Sum(tally => tally.Started));
        Assert.Equal(byHand, tallies.Sum(tally => tally.Skipped));
    }

    private async Task TickInAnHourAsync()
    {
        _world.Time.Advance(TimeSpan.FromHours(1));
        await _world.TickAsync();
    }

    private async Task<RunId> EndLiveRunAsync(string state)
    {
        var live = Assert.Single(await _world.ListRunsAsync(), run => run.State == RunState.Requested);
        await _world.EndAsync(live.Id, state);
        return live.Id;
    }

    private async Task AddCountedAsync(KnowledgeRows rows, Scope scope, int examples)
    {
        var project = scope.ProjectId ?? throw new ArgumentException("examples belong to a project", nameof(scope));
        await rows.AddExamplesAsync(project, examples);
        await new StatisticsFold(_world.Rows.Database, CountingRules.Default).FoldAllAsync(project, int.MaxValue, Stop);
    }

    private async Task<RunId> RequestGeneralAsync(Scope project)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        var outcome = await db.RequestRunAsync(
            new(project with { ProjectId = null }, RunPurpose.Training, RunTrigger.Manual, "user:tester", RunParameters.Default,
                Key: null),
            _world.Time.GetUtcNow(), Stop);
        return Assert.IsType<RunRequestOutcome.Accepted>(outcome).RunId;
    }

    private Task MoveAsync(RunId run, string state) => _world.Rows.ExecuteAsync(
        $"""
        set session_replication_role = replica;
        update ml.training_runs
        set    state = '{state}', ended_at = case when '{state}' in ('failed', 'succeeded') then timestamptz '{_world.Time.GetUtcNow():O}' end,
               reason = 'quota', next_poll_at = now(), dataset_id = id, model_id = case when '{state}' = 'succeeded' then id end
        where  id = '{run}';
        set session_replication_role = default
        """,
        Stop);

    private Task<Guid> AddPersonAsync() => _world.Rows.ScalarAsync<Guid>(
        "insert into core.user_profiles (zitadel_user_id) values (gen_random_uuid()::text) returning id", Stop);

    // As the train step leaves it, short of the way there.
    private Task AddWaitingAsync(Scope scope, string trigger) => _world.Rows.ExecuteAsync(
        $"""
        set session_replication_role = replica;
        insert into ml.training_runs (
            id, organization_id, project_id, trigger, requested_by, parameters, version, state, reason, not_before, deadline_at,
            dataset_id, approval_asked_usd, created_at, updated_at)
        values (gen_random_uuid(), '{scope.OrganizationId}', {(scope.ProjectId is { } id ? $"'{id}'" : "null")}, '{trigger}',
            'user:tester', '{RunParameters.Default.ToJson()}', 1, 'awaiting_approval', 'dear', now(), now() + interval '7 days',
            gen_random_uuid(), 60, now(), now());
        set session_replication_role = default
        """,
        Stop);
}
