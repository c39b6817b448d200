using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>What a new general model sets going.</summary>
public sealed class RenewalTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // these two are set before each test
    private Scope _general;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _general = await _world.AddScopeAsync(isProject: false);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_project_that_wants_it_is_trained_once_however_often_the_message_comes()
    {
        var project = await AddProjectAsync();
        var other = await AddProjectAsync();
        await _world.SaveAsync(project, new() { Enabled = true, RetrainOnGeneralUpdate = true });
        await _world.SaveAsync(other, new() { Enabled = true });
        var model = await RenewAsync();

        await _world.FinishedAsync(model);
        var run = Assert.Single(await _world.ListRunsAsync());
        Assert.Equal((RunTrigger.GeneralUpdate, project), (run.Trigger, run.Scope));
        await _world.EndAsync(run.Id, RunState.Skipped);

        await _world.FinishedAsync(model);
        _world.Time.Advance(TimeSpan.FromHours(1));
        await _world.TickAsync();

        Assert.Single(await _world.ListRunsAsync());
        Assert.Equal(model, (await _world.FindAsync(project)).AnsweredModelId);
    }

    [Fact]
    public async Task A_lost_message_costs_an_hour_and_no_more()
    {
        var project = await AddProjectAsync();
        await _world.SaveAsync(project, new() { Enabled = true, RetrainOnGeneralUpdate = true });
        await _world.TickAsync();
        await RenewAsync();

        await _world.TickAsync();

        Assert.Single(await _world.ListRunsAsync());
    }

    [Fact]
    public async Task The_admins_of_every_project_are_told_once_when_the_organization_wants_that()
    {
        await _world.SaveAsync(_general, new() { Enabled = true, NotifyProjectAdmins = true });
        foreach (var role in (string[])["project_admin", "project_admin", "project_user"])
        {
            var project = await AddProjectAsync();
            await _world.Rows.ExecuteAsync(
                $"""
                with person as (
                    insert into core.user_profiles (zitadel_user_id) values (gen_random_uuid()::text) returning id)
                insert into kb.project_memberships (project_id, user_id, role)
                select '{project.ProjectId}', id, '{role}' from person
                """,
                Stop);
        }

        var model = await RenewAsync();
        await _world.FinishedAsync(model);
        await _world.FinishedAsync(model);

        Assert.Equal(2, await CountAsync("select count(*) from kb.notifications"));
        Assert.Equal(
            "Version 1 of the organization's general model was trained with 120 examples. A project model can be trained "
            + "again on top of it.",
            await _world.Rows.ScalarAsync<string>("select min(message) from kb.notifications", Stop));
    }

    [Fact]
    public async Task Nobody_is_told_when_nobody_asked_for_it()
    {
        await _world.SaveAsync(_general, new() { Enabled = true });

        await _world.FinishedAsync(await RenewAsync());

        Assert.Equal(0, await CountAsync("select count(*) from kb.notifications"));
        Assert.Empty(await _world.ListRunsAsync());
    }

    [Fact]
    public async Task An_organization_trains_its_projects_again_so_many_at_once()
    {
        _world.Settings = new() { RetrainingLimit = 2, BatchSize = 2 };
        await _world.SaveAsync(_general, new() { Enabled = true, RetrainProjects = true });
        await AddProjectAsync();
        for (var i = 0; i < 5; i++)
        {
            await _world.AddModelAsync(await AddProjectAsync());
        }

        await _world.FinishedAsync(await RenewAsync());
        Assert.Equal(2, (await _world.ListRunsAsync()).Count);
        Assert.Equal(3, await CountAsync("select count(*) from ml.training_schedules where last_decision = 'waiting'"));

        for (var left = 3; left > 0; left--)
        {
            var done = (await _world.ListRunsAsync()).First(run => run.State == RunState.Requested);
            await _world.EndAsync(done.Id, RunState.Skipped);
            _world.Time.Advance(TimeSpan.FromMinutes(1));
            var model = await _world.AddModelAsync(done.Scope);
            await _world.FinishedAsync(model);
            Assert.Equal(2, (await _world.ListRunsAsync()).Count(run => run.State == RunState.Requested));
        }

        Assert.Equal(5, (await _world.ListRunsAsync()).Select(run => run.Scope).Distinct().Count());
        Assert.Equal(5, (await _world.ListRunsAsync()).Count);
    }

    [Fact]
    public async Task Four_ticks_at_once_keep_to_the_organizations_limit()
    {
        _world.Settings = new() { RetrainingLimit = 3, BatchSize = 2 };
        for (var i = 0; i < 24; i++)
        {
            await _world.SaveAsync(await AddProjectAsync(), new() { Enabled = true, RetrainOnGeneralUpdate = true });
        }

        await RenewAsync();
        var tallies = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(_world.TickAsync)));

        Assert.Equal(3, (await _world.ListRunsAsync()).Count);
        Assert.Equal((3, 21), (tallies.Sum(tally => tally.Started), tallies.Sum(tally => tally.Waiting)));
    }

    [Fact]
    public async Task A_model_that_is_not_in_use_any_more_sets_nothing_going()
    {
        await _world.SaveAsync(_general, new() { Enabled = true, NotifyProjectAdmins = true });
        var old = await RenewAsync();
        await RenewAsync();

        Assert.IsType<StepOutcome.AlreadyDone>(await _world.FinishedAsync(old));
    }

    [Fact]
    public async Task A_run_that_nobody_knows_is_kept_for_a_person() =>
        Assert.IsType<StepOutcome.Rejected>(await _world.FinishedAsync(RunId.New(World.Start)));

    private async Task<Scope> AddProjectAsync() =>
        new(_general.OrganizationId, await _world.Rows.AddProjectAsync(_general.OrganizationId, Stop));

    /// <summary>Later than everything before it.</summary>
    private async Task<RunId> RenewAsync()
    {
        _world.Time.Advance(TimeSpan.FromHours(1));
        return await _world.AddModelAsync(_general);
    }

    private Task<long> CountAsync(string sql) => _world.Rows.ScalarAsync<long>(sql, Stop);
}
