using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Tuning.Tests;

public sealed class RegistryTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_hundred_promotions_of_two_models_leave_one_ready_and_a_reader_always_sees_one()
    {
        var scope = await _world.AddScopeAsync();
        RunId[] models = [await _world.AddReadyModelAsync(scope), await _world.AddReadyModelAsync(scope)];
        using var done = new CancellationTokenSource();
        var reading = CountReadyAsync(scope, done.Token);

        await Parallel.ForEachAsync(
            Enumerable.Range(0, 100), new ParallelOptions { MaxDegreeOfParallelism = 12, CancellationToken = World.Stop },
            async (number, cancellationToken) =>
            {
                await using var db = await _world.Rows.Database.OpenConnectionAsync(cancellationToken);
                var outcome = await db.PromoteModelAsync(
                    models[number % 2], "tester", null, TimeProvider.System.GetUtcNow(), cancellationToken);
                Assert.IsNotType<PromotionOutcome.Refused>(outcome);
            });
        await done.CancelAsync();

        Assert.Equal([1], (await reading).Distinct());
        Assert.Equal(1, await _world.Rows.ScalarAsync<long>(
            "select count(*) from ml.fine_tuned_models where status = 'ready'", World.Stop));
    }

    [Fact]
    public async Task A_rollback_brings_the_old_model_back_and_says_who_wanted_it()
    {
        var scope = await _world.AddScopeAsync();
        var old = await _world.AddReadyModelAsync(scope);
        var current = await _world.AddReadyModelAsync(scope);
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);

        var outcome = await db.PromoteModelAsync(
            old, "ada", "answers got worse", TimeProvider.System.GetUtcNow(), World.Stop);

        Assert.Equal(current, Assert.IsType<PromotionOutcome.Promoted>(outcome).Replaced);
        Assert.Equal(old, (await db.FindReadyModelAsync(scope, World.Stop))!.Id);
        Assert.Equal("answers got worse", await _world.Rows.ScalarAsync<string>(
            "select reason from ml.audit_log where actor = 'ada'", World.Stop));
    }

    [Fact]
    public async Task Promoting_twice_changes_nothing()
    {
        var model = await _world.AddReadyModelAsync(await _world.AddScopeAsync());
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        var before = await db.FindModelAsync(model, World.Stop);

        var outcome = await db.PromoteModelAsync(model, "ada", null, TimeProvider.System.GetUtcNow(), World.Stop);

        Assert.IsType<PromotionOutcome.AlreadyReady>(outcome);
        Assert.Equal(before, await db.FindModelAsync(model, World.Stop));
    }

    [Fact]
    public async Task A_model_in_training_and_one_that_does_not_exist_are_refused()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);

        foreach (var model in new[] { run, RunId.New(TimeProvider.System.GetUtcNow()) })
        {
            var outcome = await db.PromoteModelAsync(model, "ada", null, TimeProvider.System.GetUtcNow(), World.Stop);
            Assert.IsType<PromotionOutcome.Refused>(outcome);
        }
    }

    [Fact]
    public async Task Models_of_two_scopes_do_not_touch_each_other()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        var general = await _world.AddReadyModelAsync(project with { ProjectId = null });
        var own = await _world.AddReadyModelAsync(project);
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);

        var ready = await db.ListReadyModelsAsync(project.OrganizationId, World.Stop);

        Assert.Equal(new[] { general, own }.ToHashSet(), ready.Select(model => model.Id).ToHashSet());
        Assert.All(ready, model => Assert.Equal(1, model.Version));
        Assert.Empty(await db.ListReadyModelsAsync(Guid.CreateVersion7(), World.Stop));
        Assert.Equal(own, Assert.Single(await db.ListModelsAsync(
            project.OrganizationId, project.ProjectId, ModelStatus.Ready, 10, World.Stop)).Id);
    }

    [Fact]
    public async Task A_deprecated_model_leaves_its_scope_without_one()
    {
        var scope = await _world.AddScopeAsync();
        var model = await _world.AddReadyModelAsync(scope);
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);

        Assert.True(await db.DeprecateModelAsync(model, "ada", "wrong", TimeProvider.System.GetUtcNow(), World.Stop));

        Assert.Null(await db.FindReadyModelAsync(scope, World.Stop));
        Assert.False(await db.DeprecateModelAsync(model, "ada", "wrong", TimeProvider.System.GetUtcNow(), World.Stop));
    }

    private async Task<IReadOnlyList<long>> CountReadyAsync(Scope scope, CancellationToken done)
    {
        List<long> seen = [];
        while (!done.IsCancellationRequested)
        {
            seen.Add(await _world.Rows.ScalarAsync<long>(
                $"""
                select count(*)
                from   ml.fine_tuned_models
                where  organization_id = '{scope.OrganizationId}' and status = 'ready'
                """,
                World.Stop));
        }

        return seen;
    }
}
