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

    private static string Month() => Now.ToString("MMMM yyyy", System.Globalization.CultureInfo.InvariantCulture);

    // 500,000 tokens and 10 USD a million make 5 USD an epoch.
    private Task<RunId> AddRunAsync(Scope scope) => _world.AddExportedRunAsync(
        scope, new TuningParameters { BaseModel = "gemini-3.5-flash", Epochs = 1 },
        dataset => dataset with { EstimatedTokens = 500_000 });

    private async Task<MonthlySpending> ReadAsync(Guid organization, string? at = null)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        var moment = at is null ? Now : DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture);
        return await db.ReadSpendingAsync(organization, moment, World.Stop);
    }

    private Task LimitAsync(Guid organization, decimal limit) => _world.Rows.ExecuteAsync(
        FormattableString.Invariant(
            $"""
            insert into ml.training_schedules (id, organization_id, monthly_limit_usd, created_at, updated_at)
            values (gen_random_uuid(), '{organization}', {limit}, now(), now())
            """),
        World.Stop);

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
