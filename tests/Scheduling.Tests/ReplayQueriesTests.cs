using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling.Tests.TwoWeeks;
using FeedbackLoop.Statistics;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>What a replay reads of the past.</summary>
public sealed class ReplayQueriesTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly DateTimeOffset From = World.Start.AddMinutes(17);
    private static readonly DateTimeOffset To = From.AddDays(2);

    private World _world = null!; // xunit initializes it before each test

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Examples_stand_in_the_hour_of_the_first_tick_that_sees_them()
    {
        var scope = await _world.AddScopeAsync();
        await AddExamplesAsync(
            scope, From.AddDays(-300), From, From.AddTicks(10), From.AddHours(1), From.AddHours(1).AddTicks(10), To,
            To.AddTicks(10));

        var history = await ReadAsync(scope);

        Assert.Equal(
            [new(From, 2, 2), new(From.AddHours(1), 2, 2), new(From.AddHours(2), 1, 1), new(To, 1, 1)], history.Examples);
        Assert.Empty(history.GeneralModels);
        Assert.Equal((false, false), (history.HasModel, history.OrganizationRetrains));
    }

    [Fact]
    public async Task A_project_knows_when_its_general_model_was_on_its_way()
    {
        var scope = await _world.AddScopeAsync();
        var run = await _world.AddModelAsync(scope with { ProjectId = null });
        await _world.Rows.ExecuteAsync(
            $"""
            update ml.training_runs set ended_at = '{From.AddHours(9):O}' where id = '{run}';
            delete from ml.run_events;
            insert into ml.run_events (organization_id, run_id, state, at)
            select '{scope.OrganizationId}', '{run}', state, at
            from   (values ('requested', timestamptz '{From.AddHours(1):O}'), ('exporting', '{From.AddHours(2):O}'),
                           ('tuning', '{From.AddHours(3):O}'), ('cancelling', '{From.AddHours(4):O}'),
                           ('needs_operator', '{From.AddHours(5):O}'), ('tuning', '{From.AddHours(6):O}'),
                           ('succeeded', '{From.AddHours(9):O}')) as e (state, at)
            """,
            Stop);

        Assert.Equal(
            [
                new(run, RunState.Exporting, From.AddHours(2), From.AddHours(3)),
                new(run, RunState.Tuning, From.AddHours(3), From.AddHours(4)),
                new(run, RunState.Tuning, From.AddHours(6), From.AddHours(9)),
            ],
            (await ReadAsync(scope)).GeneralRuns);
        Assert.Empty((await ReadAsync(scope with { ProjectId = null })).GeneralRuns);
    }

    [Fact]
    public async Task What_the_last_training_before_the_period_had_read_is_not_new()
    {
        var scope = await _world.AddScopeAsync();
        _world.Time.AdjustTime(From.AddDays(-2));
        await _world.AddModelAsync(scope);
        await AddExamplesAsync(scope, From.AddDays(-3), From.AddDays(-1), From.AddHours(4));

        var history = await ReadAsync(scope);

        Assert.Equal([new(From, 2, 1), new(From.AddHours(4), 1, 1)], history.Examples);
        Assert.True(history.HasModel);
    }

    [Fact]
    public async Task A_project_knows_of_its_organizations_models_and_an_organization_of_all_examples()
    {
        var scope = await _world.AddScopeAsync();
        var other = scope with { ProjectId = await _world.Rows.AddProjectAsync(scope.OrganizationId, Stop) };
        var general = scope with { ProjectId = null };
        await AddExamplesAsync(scope, From.AddHours(1));
        await AddExamplesAsync(other, From.AddHours(1), From.AddHours(2));
        _world.Time.AdjustTime(From.AddHours(5));
        var model = await _world.AddModelAsync(general);
        await _world.Rows.ExecuteAsync("update ml.fine_tuned_models set promoted_at = created_at, first_promoted_at = training_completed_at", Stop);
        await _world.SaveAsync(general, new() { Enabled = true, RetrainProjects = true });

        var project = await ReadAsync(scope);
        var organization = await ReadAsync(general);

        Assert.Equal([new(model, From.AddHours(5))], project.GeneralModels);
        Assert.True(project.OrganizationRetrains);
        Assert.Equal([new(From.AddHours(1), 2, 2), new(From.AddHours(2), 1, 1)], organization.Examples);
        Assert.Empty(organization.GeneralModels);
    }

    private async Task<ReplayHistory> ReadAsync(Runs.Scope scope)
    {
        await using var db = await _world.Rows.Database.OpenConnectionAsync(Stop);
        return await db.ReadReplayHistoryAsync(CountingRules.Default, scope, new ScheduleParameters(), From, To, Stop);
    }

    private async Task AddExamplesAsync(Runs.Scope scope, params DateTimeOffset[] times)
    {
        var project = scope.ProjectId ?? throw new ArgumentException("examples belong to a project", nameof(scope));
        await _world.Rows.ExecuteAsync(
            $"""
            insert into ml.counted_projects (project_id, organization_id, rules, counted_at, complete_to)
            values ('{project}', '{scope.OrganizationId}', '{CountingRules.Default.Name}', '{From:O}', '{From:O}')
            """,
            Stop);
        await _world.Rows.AddCountedExamplesAsync([.. times.Select(at => (at, project))], Stop);
    }
}
