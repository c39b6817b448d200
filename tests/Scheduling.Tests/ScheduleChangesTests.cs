using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Npgsql;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>What a person does with a schedule.</summary>
public sealed class ScheduleChangesTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly ScheduleSettings Daily =
        new() { Enabled = true, CronEnabled = true, CronExpression = "0 2 * * *", TimeZone = "Europe/Berlin" };

    private World _world = null!; // xunit initializes it before each test

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Settings_are_read_as_they_were_saved()
    {
        var scope = await _world.AddScopeAsync();
        var settings = Daily with
        {
            ThresholdEnabled = true,
            ThresholdCount = 50,
            RetrainOnGeneralUpdate = true,
            Parameters = new(0.9, true, 4, 0.5),
        };

        var saved = await _world.SaveAsync(scope, settings);

        Assert.Equal(settings, saved.Settings);
        Assert.Equal((scope, 1), (saved.Scope, saved.RowVersion));
        Assert.Equal(CronTimesTests.At("2026-06-16T00:00Z"), saved.NextScheduledAt);
        Assert.Equal(World.Start, saved.ActiveSince);
    }

    [Fact]
    public async Task Each_change_is_in_the_audit_log()
    {
        await _world.SaveAsync(await _world.AddScopeAsync(), Daily with { ThresholdEnabled = true });

        Assert.Equal(
            "user:tester change-schedule on, after 100 new examples, at '0 2 * * *' in Europe/Berlin",
            await _world.Rows.ScalarAsync<string>("select concat_ws(' ', actor, action, reason) from ml.audit_log", Stop));
    }

    [Theory]
    [InlineData(PiiPolicy.Exclude)]
    [InlineData(PiiPolicy.Redact)]
    [InlineData(PiiPolicy.Allow)]
    [InlineData(null)]
    public async Task An_organizations_floor_is_read_as_it_was_saved_and_its_change_is_in_the_audit_log(PiiPolicy? floor)
    {
        var organization = new Scope((await _world.AddScopeAsync()).OrganizationId, null);
        var before = await _world.SaveAsync(organization, new() { PiiFloor = PiiPolicy.Exclude });

        var saved = await _world.SaveAsync(organization, before.Settings with { PiiFloor = floor });

        Assert.Equal(floor, saved.Settings.PiiFloor);
        Assert.Equal(
            $"Exclude, {(floor is null ? "none" : floor)}",
            await _world.Rows.ScalarAsync<string>(
                "select string_agg(coalesce(parameters->>'piiFloor', 'none'), ', ' order by id) from ml.audit_log", Stop));
    }

    [Fact]
    public async Task The_audit_log_has_all_settings_as_they_were_asked_for()
    {
        await _world.SaveAsync(await _world.AddScopeAsync(), Daily with { Parameters = new(0.9, Epochs: 4) });

        Assert.Equal(
            "true 0 2 * * * Europe/Berlin 0.9 4",
            await _world.Rows.ScalarAsync<string>(
                """
                select concat_ws(' ', parameters->>'enabled', parameters->>'cronExpression', parameters->>'timeZone',
                           parameters->'parameters'->>'minConfidence', parameters->'parameters'->>'epochs')
                from   ml.audit_log
                """,
                Stop));
    }

    [Fact]
    public async Task What_breaks_a_rule_is_not_saved()
    {
        var scope = await _world.AddScopeAsync();

        var outcome = await TrySaveAsync(scope, Daily with { CronExpression = "* * * * *" }, expected: null);

        Assert.Equal("cronExpression", Assert.Single(Assert.IsType<ScheduleChangeOutcome.Invalid>(outcome).Errors).Field);
        Assert.Equal(0, await _world.Rows.ScalarAsync<long>("select count(*) from ml.training_schedules", Stop));
    }

    [Fact]
    public async Task Whoever_saw_an_older_version_is_shown_the_present_one()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        var second = await _world.SaveAsync(scope, Daily with { Enabled = false });

        foreach (var expected in (int?[])[null, 1, 3])
        {
            var outcome = await TrySaveAsync(scope, Daily, expected);
            Assert.Equal(second, Assert.IsType<ScheduleChangeOutcome.Changed>(outcome).Current);
        }

        var nowhere = await TrySaveAsync(await _world.AddScopeAsync(), Daily, expected: 1);
        Assert.Null(Assert.IsType<ScheduleChangeOutcome.Changed>(nowhere).Current);
    }

    [Fact]
    public async Task Of_two_at_the_same_time_one_wins()
    {
        var scope = await _world.AddScopeAsync();
        var first = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TrySaveAsync(scope, Daily, expected: null)));
        var second = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TrySaveAsync(scope, Daily, expected: 1)));

        Assert.Single(first, outcome => outcome is ScheduleChangeOutcome.Saved);
        Assert.Single(second, outcome => outcome is ScheduleChangeOutcome.Saved);
    }

    [Fact]
    public async Task A_slot_that_has_come_is_not_lost_by_a_change_of_something_else()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        _world.Time.Advance(TimeSpan.FromHours(13));
        await _world.SaveAsync(scope, Daily with { ThresholdEnabled = true });

        Assert.Equal(1, (await _world.TickAsync()).Started);
    }

    [Fact]
    public async Task Another_expression_begins_now()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        _world.Time.Advance(TimeSpan.FromHours(13));

        var saved = await _world.SaveAsync(scope, Daily with { CronExpression = "0 4 * * *" });

        Assert.Equal(CronTimesTests.At("2026-06-16T02:00Z"), saved.NextScheduledAt);
    }

    [Fact]
    public async Task Switching_off_forgets_the_run_that_was_to_be_repeated()
    {
        var scope = await _world.AddScopeAsync();
        await _world.SaveAsync(scope, Daily);
        _world.Time.Advance(TimeSpan.FromHours(13));
        await _world.TickAsync();
        await _world.EndAsync(Assert.Single(await _world.ListRunsAsync()).Id, RunState.Failed);

        var off = await _world.SaveAsync(scope, Daily with { Enabled = false });
        await _world.SaveAsync(scope, Daily);
        _world.Time.Advance(TimeSpan.FromHours(3));

        Assert.Equal(0, (await _world.TickAsync()).Started);
        Assert.Null(off.OpenRunId);
        Assert.Null(off.NextScheduledAt);
    }

    [Fact]
    public async Task The_rights_of_the_admin_api_suffice_for_its_own_organizations_and_no_others()
    {
        var scope = await _world.AddScopeAsync();
        var foreign = await _world.AddScopeAsync();
        await using var db = await _world.Rows.Api.OpenConnectionAsync(Stop);
        await db.ExecuteAsync(Sql.Command(
            "select set_config('app.organizations', @id, false)", new { id = $"{{{scope.OrganizationId}}}" }, Stop));

        foreach (var expected in (int?[])[null, 1])
        {
            Assert.IsType<ScheduleChangeOutcome.Saved>(
                await db.SaveScheduleAsync(scope, Daily, expected, "user:tester", _world.Time.GetUtcNow(), Stop));
        }

        await Assert.ThrowsAsync<PostgresException>(
            () => db.SaveScheduleAsync(foreign, Daily, null, "user:tester", _world.Time.GetUtcNow(), Stop));
    }

    private async Task<ScheduleChangeOutcome> TrySaveAsync(Scope scope, ScheduleSettings settings, int? expected)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        return await db.SaveScheduleAsync(scope, settings, expected, "user:tester", _world.Time.GetUtcNow(), Stop);
    }
}
