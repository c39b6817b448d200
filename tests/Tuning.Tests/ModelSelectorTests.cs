using FeedbackLoop.Runs;
using FeedbackLoop.Selection;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace FeedbackLoop.Tuning.Tests;

public sealed class ModelSelectorTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLogger<ModelSelector> _log = new();
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Project_then_general_then_base()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        var selector = Selector(_world.Rows.Database);
        Assert.Equal((ModelTier.Base, "gemini-3.1-flash-lite"), await TierAsync(selector, project));

        await _world.AddReadyModelAsync(project with { ProjectId = null });
        _time.Advance(TimeSpan.FromSeconds(21));
        Assert.Equal((ModelTier.General, "gemini-3.1-flash-lite"), await TierAsync(selector, project));

        var own = await _world.AddReadyModelAsync(project);
        _time.Advance(TimeSpan.FromSeconds(21));
        var choice = await SelectAsync(selector, project);
        Assert.Equal((ModelTier.Project, own, 1), (choice.Tier, choice.ModelId, choice.Version));
        Assert.Contains("/endpoints/", choice.Endpoint, StringComparison.Ordinal);
        Assert.Equal(64, choice.PromptHash!.Length);
    }

    [Fact]
    public async Task A_change_is_seen_within_thirty_seconds()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        var selector = Selector(_world.Rows.Database);
        await SelectAsync(selector, project);
        await _world.AddReadyModelAsync(project);

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(ModelTier.Base, (await SelectAsync(selector, project)).Tier);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(ModelTier.Project, (await SelectAsync(selector, project)).Tier);
    }

    [Fact]
    public async Task A_million_selections_cost_one_query()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        await using var counted = await CountingSourceAsync();
        var selector = Selector(counted);
        await SelectAsync(selector, project);
        var before = await QueriesAsync();

        for (var call = 0; call < 1_000_000; call++)
        {
            await selector.SelectAsync(project.OrganizationId, project.ProjectId!.Value, World.Stop);
        }

        Assert.Equal(before, await QueriesAsync());
    }

    [Fact]
    public async Task Many_callers_at_once_share_one_query()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        await using var counted = await CountingSourceAsync();
        var selector = Selector(counted);
        var before = await QueriesAsync();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => SelectAsync(selector, project)));

        Assert.Equal(before + 1, await QueriesAsync());
    }

    [Fact]
    public async Task The_last_known_answer_stands_while_the_database_is_away()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        await _world.AddReadyModelAsync(project);
        var selector = Selector(_world.Rows.Database);
        await SelectAsync(selector, project);

        await _world.Rows.ExecuteAsync("alter table ml.fine_tuned_models rename to hidden", World.Stop);
        for (var minute = 0; minute < 5; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            Assert.Equal(ModelTier.Project, (await SelectAsync(selector, project)).Tier);
        }

        Assert.Equal(5, _log.At(LogLevel.Warning).Count);
        await _world.Rows.ExecuteAsync("alter table ml.hidden rename to fine_tuned_models", World.Stop);
        await _world.Rows.ExecuteAsync("update ml.fine_tuned_models set status = 'deprecated'", World.Stop);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(ModelTier.Base, (await SelectAsync(selector, project)).Tier);
    }

    [Fact]
    public async Task Nothing_known_and_no_database_means_the_base_model()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=app;Timeout=1");
        var selector = Selector(nowhere);

        var choice = await selector.SelectAsync(Guid.CreateVersion7(), Guid.CreateVersion7(), World.Stop);

        Assert.Equal((ModelTier.Base, "gemini-3.1-flash-lite"), (choice.Tier, choice.BaseModel));
        Assert.Contains("cannot be read", choice.Reason, StringComparison.Ordinal);
    }

    private ModelSelector Selector(NpgsqlDataSource database) =>
        new(database, Options.Create(Catalogues.Usual), _time, _log);

    private static async Task<ModelChoice> SelectAsync(ModelSelector selector, Scope scope) =>
        await selector.SelectAsync(scope.OrganizationId, scope.ProjectId!.Value, World.Stop);

    private static async Task<(string, string)> TierAsync(ModelSelector selector, Scope scope)
    {
        var choice = await SelectAsync(selector, scope);
        return (choice.Tier, choice.BaseModel);
    }

    // Each query reads a sequence: PostgreSQL counts for us, whatever the client does.
    private async Task<NpgsqlDataSource> CountingSourceAsync()
    {
        await _world.Rows.ExecuteAsync(
            """
            create sequence public.queries;
            grant usage on sequence public.queries to app;
            alter table ml.fine_tuned_models rename to fine_tuned_models_all;
            create view ml.fine_tuned_models as
                select m.* from (select nextval('public.queries')) n left join ml.fine_tuned_models_all m on true;
            grant select on ml.fine_tuned_models to app;
            """,
            World.Stop);
        return NpgsqlDataSource.Create(_world.Rows.ConnectionString);
    }

    private Task<long> QueriesAsync() =>
        _world.Rows.ScalarAsync<long>("select case when is_called then last_value else 0 end from public.queries", World.Stop);
}
