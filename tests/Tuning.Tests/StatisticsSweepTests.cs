using FeedbackLoop.PollTuning;
using FeedbackLoop.Statistics;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>Statistics that nobody reads are brought up to date all the same.</summary>
public sealed class StatisticsSweepTests(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private KnowledgeRows _rows = null!;
    private Guid _organization;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync(Stop);
        _rows = new KnowledgeRows(_database.Database);
        _organization = await _rows.AddOrganizationAsync();
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task The_five_minute_sweep_counts_what_was_never_counted_and_folds_what_has_changed()
    {
        await using var world = await World.StartAsync(postgres);
        var rows = new KnowledgeRows(world.Rows.Database);
        var project = await rows.AddProjectAsync(await rows.AddOrganizationAsync());
        await rows.AddExamplesAsync(project, 2);
        await world.SweepAsync();
        Assert.Equal(4, await world.Rows.ScalarAsync<long>("select count(*) from ml.counted_objects", Stop));

        await rows.AddExamplesAsync(project, 3);
        await world.SweepAsync();

        Assert.Equal(10, await world.Rows.ScalarAsync<long>("select count(*) from ml.counted_objects", Stop));
        Assert.Equal(0, await world.Rows.ScalarAsync<long>("select count(*) from ml.knowledge_changes", Stop));
    }

    [Fact]
    public async Task A_project_that_cannot_be_folded_stops_no_other()
    {
        var projects = await AddCountedProjectsAsync(3);
        await _database.ExecuteAsync(
            $"""
            create function public.die() returns trigger language plpgsql as 'begin raise exception ''struck''; end';
            create trigger die before insert on ml.counted_objects for each row
                when (new.project_id = '{projects[1]}') execute function public.die()
            """,
            Stop);
        var failures = new List<Exception>();

        var folded = await Sweep().FoldAsync(failures, Stop);

        Assert.Equal(2, folded);
        Assert.Contains("struck", Assert.Single(failures).Message, StringComparison.Ordinal);
        Assert.Equal([projects[1]], await PendingAsync());
    }

    [Fact]
    public async Task A_sweep_stops_where_it_is_when_it_is_cancelled()
    {
        await AddCountedProjectsAsync(2);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await cancel.CancelAsync();
        var failures = new List<Exception>();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Sweep().FoldAsync(failures, cancel.Token));

        Assert.Empty(failures);
        Assert.Equal(2, (await PendingAsync()).Length);
    }

    [Fact]
    public async Task What_a_sweep_has_no_time_or_room_for_is_left_to_the_next()
    {
        await AddCountedProjectsAsync(3);

        Assert.Equal(0, await Sweep(new() { FoldTime = TimeSpan.Zero }).FoldAsync([], Stop));
        Assert.Equal(2, await Sweep(new() { BatchSize = 2 }).FoldAsync([], Stop));
        Assert.Single(await PendingAsync());
        Assert.Equal(1, await Sweep(new() { FoldLimit = 1 }).FoldAsync([], Stop));
        Assert.Single(await PendingAsync());
        Assert.Equal(1, await Sweep().FoldAsync([], Stop));
        Assert.Equal(0, await Sweep().FoldAsync([], Stop));
    }

    [Fact]
    public async Task Deleted_projects_are_left_alone_and_gone_ones_forgotten()
    {
        var projects = await AddCountedProjectsAsync(2);
        await _database.ExecuteAsync(
            $"""
            update kb.projects set deleted_at = now() where id = '{projects[0]}';
            delete from kb.projects where id = '{projects[1]}'
            """,
            Stop);

        Assert.Equal(0, await Sweep().FoldAsync([], Stop));

        Assert.Equal([projects[0]], await PendingAsync());
        Assert.Equal(projects[0], await _database.ScalarAsync<Guid>("select project_id from ml.counted_projects", Stop));
    }

    [Fact]
    public async Task A_project_that_has_moved_is_counted_anew_for_its_organization()
    {
        var project = Assert.Single(await AddCountedProjectsAsync(1));
        await Sweep().FoldAsync([], Stop);
        var other = await _rows.AddOrganizationAsync();
        await _database.ExecuteAsync($"update kb.projects set organization_id = '{other}' where id = '{project}'", Stop);

        await Sweep().FoldAsync([], Stop);

        Assert.Equal(
            $"{other} 2",
            await _database.ScalarAsync<string>(
                "select concat_ws(' ', organization_id, sum(count)) from ml.object_counts group by organization_id", Stop));
    }

    private StatisticsSweep Sweep(SweepOptions? options = null) => new(
        _database.Database, new StatisticsFold(_database.Database, CountingRules.Default), TimeProvider.System,
        Options.Create(options ?? new SweepOptions()), NullLogger<StatisticsSweep>.Instance);

    /// <summary>Counted projects, each with two changes since.</summary>
    private async Task<Guid[]> AddCountedProjectsAsync(int count)
    {
        var projects = new Guid[count];
        for (var i = 0; i < count; i++)
        {
            projects[i] = await _rows.AddProjectAsync(_organization);
            await Sweep().FoldAsync([], Stop);
        }

        foreach (var project in projects)
        {
            await _rows.AddObjectAsync(project, new());
            await _rows.AddObjectAsync(project, new());
        }

        return projects;
    }

    private Task<Guid[]> PendingAsync() => _database.ScalarAsync<Guid[]>(
        "select coalesce(array_agg(distinct project_id), '{}') from ml.knowledge_changes", Stop);
}
