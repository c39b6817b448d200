using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Tuning.Tests;

public sealed class TrainStepTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task An_exported_run_gets_one_job_and_tells_the_next_step()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));

        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
        var attempt = Assert.Single(await _world.AttemptsAsync(run));
        Assert.Equal((AttemptState.Created, 1), (attempt.State, attempt.Number));
        Assert.Equal(1, _world.JobsOf(run));
        Assert.Equal("training", (await _world.FindModelAsync(run))!.Status);
        Assert.Contains("tuning-started", _world.Published.Topics);
    }
}
