using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>Monthly limits and the stop, where the money is spent: each job is estimated at 5 USD.</summary>
public sealed class SpendingTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // set before each test

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_job_over_the_limit_is_not_asked_for_and_the_admins_are_told()
    {
        var scope = await _world.AddScopeAsync();
        await LimitAsync(scope.OrganizationId, 4.99m);
        var admin = await AddAdminAsync(scope.OrganizationId);
        var run = await AddRunAsync(scope);

        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(run));

        var after = await _world.FindAsync(run);
        Assert.Equal(
            (RunState.Skipped,
            "the training is estimated at 5.00 USD; with 0.00 USD already committed in "
            + $"{Month()} it would pass the organization's monthly limit of 4.99 USD"),
            (after.State, after.Reason));
        Assert.Empty(await _world.AttemptsAsync(run));
        Assert.Equal(0, _world.CallsFor(run));
        Assert.Equal(admin, await _world.Rows.ScalarAsync<Guid>("select user_id from kb.notifications", World.Stop));
        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));
        Assert.Equal(1L, await _world.Rows.ScalarAsync<long>("select count(*) from kb.notifications", World.Stop));
    }

    [Fact]
    public async Task The_limit_counts_all_projects_of_the_organization_and_no_other()
    {
        var general = await _world.AddScopeAsync();
        var project = general with { ProjectId = await _world.Rows.AddProjectAsync(general.OrganizationId, World.Stop) };
        var stranger = await _world.AddScopeAsync();
        await LimitAsync(general.OrganizationId, 9);

        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(await AddRunAsync(stranger)));
        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(await AddRunAsync(general)));
        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(await AddRunAsync(project)));

        Assert.Equal(5m, (await ReadAsync(general.OrganizationId)).CommittedUsd);
    }

    [Fact]
    public async Task What_is_above_the_day_s_alarm_is_said_by_every_sweep_until_a_day_is_over()
    {
        _world.AlarmUsdPerDay = 9.99m;
        await _world.TrainAsync(await AddRunAsync(await _world.AddScopeAsync()));
        await _world.SweepAsync();
        Assert.Empty(_world.SweepLog.At(LogLevel.Warning));

        await _world.TrainAsync(await AddRunAsync(await _world.AddScopeAsync()));
        await _world.SweepAsync();
        await _world.SweepAsync();
        Assert.Equal(
            Enumerable.Repeat("Tuning jobs of the last day are estimated at 10.00 USD, above 9.99 USD", 2), Said());

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(25), World.Stop);
        await _world.SweepAsync();
        Assert.Equal(2, Said().Count());

        IEnumerable<string> Said() =>
            _world.SweepLog.At(LogLevel.Warning).Where(line => line.StartsWith("Tuning jobs of", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failed_run_is_said_also_by_a_sweep_that_comes_half_an_hour_late_and_not_for_ever()
    {
        var run = await AddRunAsync(await _world.AddScopeAsync());
        await _world.Clock.AdvanceAsync(TimeSpan.FromDays(2), World.Stop);
        await _world.SweepAsync();
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(31), World.Stop);
        await _world.SweepAsync();
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(5), World.Stop);
        await _world.SweepAsync();

        var after = await _world.FindAsync(run);
        Assert.Equal(RunState.Failed, after.State);
        Assert.Equal(
            2,
            _world.SweepLog.At(LogLevel.Warning).Count(line => line == $"Run {run} of {after.Scope} has failed: {after.Reason}"));
    }

    [Fact]
    public async Task Eight_runs_at_once_do_not_share_what_is_left()
    {
        var first = await _world.AddScopeAsync();
        await LimitAsync(first.OrganizationId, 16);
        var runs = new List<RunId>();
        for (var i = 0; i < 8; i++)
        {
            runs.Add(await AddRunAsync(
                first with { ProjectId = await _world.Rows.AddProjectAsync(first.OrganizationId, World.Stop) }));
        }

        var outcomes = await Task.WhenAll(runs.Select(_world.TrainAsync));

        Assert.Equal((3, 5), (outcomes.OfType<StepOutcome.Done>().Count(), outcomes.OfType<StepOutcome.Skipped>().Count()));
        Assert.Equal(15m, (await ReadAsync(first.OrganizationId)).CommittedUsd);
        Assert.Equal(3, runs.Sum(_world.JobsOf));
    }

    [Fact]
    public async Task What_the_service_refused_gives_its_money_back()
    {
        var scope = await _world.AddScopeAsync();
        await LimitAsync(scope.OrganizationId, 5);
        _world.AlarmUsdPerDay = 1;
        var run = await AddRunAsync(scope);
        await _world.TrainAsync(run);
        Assert.Equal(5m, (await ReadAsync(scope.OrganizationId)).CommittedUsd);

        await _world.Rows.ExecuteAsync(
            "set session_replication_role = replica; "
            + "update ml.tuning_attempts set state = 'rejected', tuning_job = null; "
            + "set session_replication_role = default",
            World.Stop);

        Assert.Equal(0m, (await ReadAsync(scope.OrganizationId)).CommittedUsd);
        await _world.SweepAsync();
        Assert.Empty(_world.SweepLog.At(LogLevel.Warning));
    }

    [Fact]
    public async Task A_month_ends_in_UTC_and_the_next_one_begins_with_nothing()
    {
        var scope = await _world.AddScopeAsync();
        await _world.TrainAsync(await AddRunAsync(scope));
        await _world.Rows.ExecuteAsync(
            "set session_replication_role = replica; set timezone = 'Asia/Tokyo'; "
            + "update ml.tuning_attempts set sent_at = '2026-06-30T23:59:59.9Z', token_expires_at = '2026-06-30T23:59:59.9Z'; "
            + "set session_replication_role = default",
            World.Stop);

        Assert.Equal(5m, (await ReadAsync(scope.OrganizationId, "2026-06-01T00:00Z")).CommittedUsd);
        Assert.Equal(5m, (await ReadAsync(scope.OrganizationId, "2026-06-30T23:59:59Z")).CommittedUsd);
        Assert.Equal(0m, (await ReadAsync(scope.OrganizationId, "2026-07-01T00:00Z")).CommittedUsd);
        Assert.Equal(0m, (await ReadAsync(scope.OrganizationId, "2026-05-31T23:59:59Z")).CommittedUsd);
    }

    [Fact]
    public async Task While_everything_is_stopped_no_job_is_asked_for()
    {
        var run = await AddRunAsync(await _world.AddScopeAsync());
        var later = await AddRunAsync(await _world.AddScopeAsync());
        await using (var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop))
        {
            Assert.True(await db.StopSpendingAsync("ops", "the bill doubled", Now, World.Stop));
            Assert.False(await db.StopSpendingAsync("ops", "once more", Now, World.Stop));
        }

        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(run));
        Assert.EndsWith(": the bill doubled", (await _world.FindAsync(run)).Reason, StringComparison.Ordinal);

        await using (var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop))
        {
            Assert.True(await db.ResumeSpendingAsync("ops", Now, World.Stop));
            Assert.False(await db.ResumeSpendingAsync("ops", Now, World.Stop));
            Assert.Null(await db.FindSpendingStopAsync(World.Stop));
        }

        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(later));
    }

    [Fact]
    public async Task The_cost_of_an_intent_is_kept()
    {
        var run = await AddRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => _world.Rows.ExecuteAsync(
            "update ml.tuning_attempts set estimated_cost_usd = 0", World.Stop));

        Assert.Equal("the intent is immutable", refused.MessageText);
    }

    [Fact]
    public async Task An_organization_without_a_limit_of_its_own_has_the_installation_s()
    {
        _world.Spending = new() { DefaultMonthlyLimitUsd = 9 };
        var scope = await _world.AddScopeAsync();
        var project = scope with { ProjectId = await _world.Rows.AddProjectAsync(scope.OrganizationId, World.Stop) };
        await _world.TrainAsync(await AddRunAsync(scope));
        var second = await AddRunAsync(project);

        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(second));

        Assert.EndsWith(
            "it would pass the organization's monthly limit of 9.00 USD (the installation's default)",
            (await _world.FindAsync(second)).Reason, StringComparison.Ordinal);
        var (limit, isDefault) = (await ReadAsync(scope.OrganizationId)) switch { var s => (s.LimitUsd, s.IsDefaultLimit) };
        Assert.Equal((9m, true), (limit, isDefault));
    }

    [Fact]
    public async Task No_limit_is_said_and_then_there_is_none()
    {
        _world.Spending = new() { DefaultMonthlyLimitUsd = 1 };
        var scope = await _world.AddScopeAsync();
        await NoLimitAsync(scope.OrganizationId);

        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(await AddRunAsync(scope)));
        Assert.Null((await ReadAsync(scope.OrganizationId)).LimitUsd);
    }

    [Fact]
    public async Task What_a_job_has_really_cost_takes_the_place_of_its_estimate()
    {
        var scope = await _world.AddScopeAsync();
        var run = await AddRunAsync(scope);
        await _world.TrainAsync(run);
        Assert.Equal(5m, (await ReadAsync(scope.OrganizationId)).TuningUsd);
        await _world.FinishJobAsync(run);

        await _world.PollAsync(run);
        await _world.PollAsync(run);

        var counted = await _world.Rows.ScalarAsync<long>(
            "select (tuning_statistics->>'billableTokens')::bigint from ml.fine_tuned_models", World.Stop);
        Assert.InRange(counted, 1, 499_999);
        Assert.Equal(
            TuningCost.EstimateUsd(counted, 1, 1, _world.Catalogue.Get("gemini-3.5-flash")),
            (await ReadAsync(scope.OrganizationId)).TuningUsd);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => _world.Rows.ExecuteAsync(
            "update ml.tuning_attempts set actual_cost_usd = 0", World.Stop));
        Assert.Equal("what an attempt has cost is immutable", refused.MessageText);
    }

    [Fact]
    public async Task A_base_model_without_a_price_is_tuned_only_where_no_limit_is_and_shown_as_unknown()
    {
        _world.Catalogue = Catalogues.Of(Catalogues.Model("gemini-3.5-flash", trainingPrice: null));
        var limited = await AddRunAsync(await _world.AddScopeAsync());
        var free = await _world.AddScopeAsync();
        await NoLimitAsync(free.OrganizationId);

        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(limited));
        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(await AddRunAsync(free)));

        Assert.Equal(
            "what a training of gemini-3.5-flash costs is not known, and the organization has a monthly limit of 100.00 USD (the "
            + "installation's default): set TrainingPrice of gemini-3.5-flash in BaseModels:Models",
            (await _world.FindAsync(limited)).Reason);
        var spending = await ReadAsync(free.OrganizationId);
        Assert.Equal(0m, spending.CommittedUsd);
        Assert.Equal([new UnpricedUse(SpendingKind.Tuning, "gemini-3.5-flash")], spending.Unpriced);
    }

    [Fact]
    public async Task Extractions_count_in_the_month_by_model_and_tier_and_each_once()
    {
        var scope = await _world.AddScopeAsync(isProject: true);
        await AddExtractionAsync(scope, "gemini-3.5-flash", "base", 1_000_000, 100_000);
        await AddExtractionAsync(scope, "gemini-3.5-flash", "project", 2_000_000, 0);
        var again = await AddExtractionAsync(scope, "gemini-3.5-flash", "base", 0, 1_000_000);
        await AddExtractionAsync(scope, "gemini-3.5-flash", "base", 0, 1_000_000, again);

        // 0.25 in and 1.50 out, and no more for a tuned one.
        Assert.Equal(0.25m + 0.15m + 0.5m + 1.5m, (await ReadAsync(scope.OrganizationId)).ExtractionUsd);
        Assert.Equal(0m, (await ReadAsync(scope.OrganizationId, "2026-01-31T00:00Z")).ExtractionUsd);
        Assert.Equal(2L, await _world.Rows.ScalarAsync<long>("select count(*) from ml.monthly_tokens", World.Stop));

        await LimitAsync(scope.OrganizationId, 7.39m);
        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(await AddRunAsync(scope)));
    }

    [Fact]
    public async Task Extractions_without_a_price_hold_trainings_where_money_is_limited_until_somebody_sets_it()
    {
        var scope = await _world.AddScopeAsync(isProject: true);
        await AddExtractionAsync(scope, "gemini-9", "base", 1_000, 10);
        await AddExtractionAsync(scope, null, "base", 1_000, 10);
        var run = await AddRunAsync(scope);

        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(run));
        Assert.StartsWith("what answers of gemini-9 have cost in ", (await _world.FindAsync(run)).Reason, StringComparison.Ordinal);
        Assert.Equal(
            [new UnpricedUse(SpendingKind.Extraction, ""), new UnpricedUse(SpendingKind.Extraction, "gemini-9")],
            (await ReadAsync(scope.OrganizationId)).Unpriced);

        _world.Catalogue = Catalogues.Of([.. _world.Catalogue.Models, Catalogues.Model("gemini-9")]);
        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(await AddRunAsync(scope)));
    }

    [Fact]
    public async Task A_month_is_one_row_for_each_model_however_many_extractions_it_has()
    {
        var scope = await _world.AddScopeAsync(isProject: true);
        await _world.Rows.ExecuteAsync(
            $"""
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_reason, answered_tier, base_model, prompt_hash,
                latency_ms, input_tokens, output_tokens, is_valid, created_at)
            select gen_random_uuid(), '{scope.OrganizationId}', '{scope.ProjectId}', gen_random_uuid(), 'base', 'r', 'base',
                   'gemini-3.5-flash', repeat('a', 64), 1, 1000, 0, true, now()
            from   generate_series(1, 5000)
            """,
            World.Stop);

        Assert.Equal(5_000 * 0.00025m, (await ReadAsync(scope.OrganizationId)).ExtractionUsd);
        Assert.Equal(1L, await _world.Rows.ScalarAsync<long>("select count(*) from ml.monthly_tokens", World.Stop));
    }

    [Fact]
    public async Task Eight_extractions_at_once_lose_no_token()
    {
        var scope = await _world.AddScopeAsync(isProject: true);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            for (var i = 0; i < 10; i++)
            {
                await AddExtractionAsync(scope, "gemini-3.5-flash", "base", 1_000, 0);
            }
        }));

        Assert.Equal(80 * 0.00025m, (await ReadAsync(scope.OrganizationId)).ExtractionUsd);
    }

    [Fact]
    public async Task Dear_extractions_are_said_by_every_sweep_and_stopped_by_none()
    {
        _world.Spending = new() { ExtractionAlarmUsd = 1 };
        var scope = await _world.AddScopeAsync(isProject: true);
        await AddExtractionAsync(scope, "gemini-3.5-flash", "base", 4_000_000, 0);
        await _world.SweepAsync();
        Assert.Empty(Said());

        await AddExtractionAsync(scope, "gemini-3.5-flash", "base", 1_000_000, 0);
        await _world.SweepAsync();
        await _world.SweepAsync();

        Assert.Equal(
            Enumerable.Repeat(
                $"Extractions of organization {scope.OrganizationId} have cost 1.25 USD this month, above 1.00 USD", 2),
            Said());

        IEnumerable<string> Said() =>
            _world.SweepLog.At(LogLevel.Warning).Where(line => line.StartsWith("Extractions of", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Extractions_that_waited_for_the_end_of_a_stop_are_asked_for_again()
    {
        _world.Spending = new() { BaseModelWhileStopped = false };
        var scope = await _world.AddScopeAsync(isProject: true);
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        await db.StopSpendingAsync("ops", "the bill doubled", Now, World.Stop);
        var (job, gone) = (Guid.NewGuid(), Guid.NewGuid());
        await _world.Rows.ExecuteAsync(
            $"""
            insert into kb.object_extraction_jobs (id, project_id, status) values ('{job}', '{scope.ProjectId}', 'pending');
            insert into ml.waiting_extractions (job_id, organization_id, project_id, since)
            values ('{job}', '{scope.OrganizationId}', '{scope.ProjectId}', now()),
                   ('{gone}', '{scope.OrganizationId}', '{scope.ProjectId}', now())
            """,
            World.Stop);

        await _world.SweepAsync();
        Assert.Empty(_world.Published.Messages);

        await db.ResumeSpendingAsync("ops", Now, World.Stop);
        _world.Published.FailNext(1);
        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());
        await _world.SweepAsync();
        await _world.SweepAsync();

        Assert.Equal(
            [new PublishedMessage("extraction-requested", $$"""{"jobId":"{{job}}"}""")], _world.Published.Messages);
        Assert.Equal(0L, await _world.Rows.ScalarAsync<long>("select count(*) from ml.waiting_extractions", World.Stop));
    }

    private static string Month() => Now.ToString("MMMM yyyy", System.Globalization.CultureInfo.InvariantCulture);

    // 500,000 tokens and 10 USD a million make 5 USD an epoch.
    private Task<RunId> AddRunAsync(Scope scope) => _world.AddExportedRunAsync(
        scope, new TuningParameters { BaseModel = "gemini-3.5-flash", Epochs = 1 },
        dataset => dataset with { EstimatedTokens = 500_000 });

    private async Task<MonthlySpending> ReadAsync(Guid organization, string? at = null)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        var moment = at is null ? Now : DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture);
        return await db.ReadSpendingAsync(organization, _world.Terms, moment, World.Stop);
    }

    private Task LimitAsync(Guid organization, decimal limit) => _world.Rows.ExecuteAsync(
        FormattableString.Invariant(
            $"""
            insert into ml.training_schedules (id, organization_id, monthly_limit_usd, created_at, updated_at)
            values (gen_random_uuid(), '{organization}', {limit}, now(), now())
            """),
        World.Stop);

    private Task NoLimitAsync(Guid organization) => _world.Rows.ExecuteAsync(
        $"""
        insert into ml.training_schedules (id, organization_id, no_monthly_limit, created_at, updated_at)
        values (gen_random_uuid(), '{organization}', true, now(), now())
        """,
        World.Stop);

    private async Task<Guid> AddExtractionAsync(
        Scope scope, string? model, string tier, int inputTokens, int outputTokens, Guid? sameJob = null)
    {
        var job = sameJob ?? Guid.NewGuid();
        await _world.Rows.ExecuteAsync(
            $"""
            insert into ml.extraction_results (
                id, organization_id, project_id, job_id, chosen_tier, chosen_reason, answered_tier, base_model, prompt_hash,
                latency_ms, input_tokens, output_tokens, is_valid, created_at)
            values (
                gen_random_uuid(), '{scope.OrganizationId}', '{scope.ProjectId}', '{job}', 'base', 'r', '{tier}',
                {(model is null ? "null" : $"'{model}'")}, repeat('a', 64), 1, {inputTokens}, {outputTokens}, true, now())
            on conflict (job_id) do nothing
            """,
            World.Stop);
        return job;
    }

    private Task<Guid> AddAdminAsync(Guid organization) => _world.Rows.ScalarAsync<Guid>(
        $"""
        with person as (
            insert into core.user_profiles (zitadel_user_id) values ('admin') returning id
        )
        insert into kb.organization_memberships (organization_id, user_id, role)
        select '{organization}', id, 'org_admin'
        from   person
        returning user_id
        """,
        World.Stop);
}
