using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>The fences of a claim, each by itself: in the steps one of them would hide another.</summary>
public sealed class ClaimTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_lease_that_ran_out_records_no_intent()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        var claim = await db.ClaimRunAsync(run, [RunState.Exported], null, Lease, TimeSpan.Zero, World.Stop);

        await _world.Clock.AdvanceAsync(Lease, World.Stop);

        Assert.False(await db.MarkCreatingAsync(claim!, Lease, World.Stop));
    }

    [Fact]
    public async Task A_claim_that_another_worker_took_over_records_no_intent()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        var stale = await db.ClaimRunAsync(run, [RunState.Exported], null, Lease, TimeSpan.Zero, World.Stop);
        Assert.Null(await db.ClaimRunAsync(run, [RunState.Exported], null, Lease, TimeSpan.Zero, World.Stop));
        await _world.Clock.AdvanceAsync(Lease, World.Stop);
        var current = await db.ClaimRunAsync(run, [RunState.Exported], null, Lease, TimeSpan.Zero, World.Stop);

        Assert.False(await db.MarkCreatingAsync(stale!, Lease, World.Stop));
        Assert.True(await db.MarkCreatingAsync(current!, Lease, World.Stop));
    }

    [Fact]
    public async Task A_lease_that_ran_out_is_not_prolonged()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        var claim = await db.ClaimRunAsync(run, [RunState.Exported], null, Lease, TimeSpan.Zero, World.Stop);
        Assert.True(await db.ExtendLeaseAsync(claim!, Lease, progressJson: null, World.Stop));

        await _world.Clock.AdvanceAsync(Lease, World.Stop);

        // Nobody else has it yet; but somebody may have begun to, and the worker cannot know.
        Assert.False(await db.ExtendLeaseAsync(claim!, Lease, progressJson: null, World.Stop));
    }
}
