using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Tuning.Tests;

public sealed class CancelTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync() =>
        _world = await World.StartAsync(postgres, running: TimeSpan.FromMilliseconds(300));

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Before_a_job_is_made_the_run_just_ends()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        Assert.True(await _world.CancelAsync(run, "wrong data"));
        await _world.PollAsync(run);

        var ended = await _world.FindAsync(run);
        Assert.Equal((RunState.Cancelled, "wrong data"), (ended.State, ended.Reason));
        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));
        Assert.Equal(0, _world.CallsFor(run));
        Assert.False(await _world.CancelAsync(run));
    }

    [Fact]
    public async Task Between_intent_and_call_nothing_is_sent()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        _world.At(Failpoint.IntentRecorded, () => _world.CancelAsync(run));

        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));
        await _world.PollAsync(run);

        Assert.Equal(0, _world.CallsFor(run));
        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task During_the_call_the_job_is_recorded_and_then_stopped()
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        _world.At(Failpoint.JobCreated, () => _world.CancelAsync(run));

        await _world.TrainAsync(run);
        Assert.Equal(RunState.Cancelling, (await _world.FindAsync(run)).State);
        Assert.Equal(AttemptState.Created, Assert.Single(await _world.AttemptsAsync(run)).State);
        await _world.PollAsync(run);
        await _world.FinishJobAsync(run);
        await _world.PollAsync(run);

        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
        Assert.Equal(JobState.Cancelled, Assert.Single(_world.Vertex.Jobs).State);
        Assert.Equal(ModelStatus.Failed, (await _world.FindModelAsync(run))!.Status);
    }

    [Fact]
    public async Task A_job_at_work_is_stopped_and_the_run_ends_with_it()
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        var run = await StartAsync();

        await _world.CancelAsync(run, "too expensive");
        await _world.PollOnceAsync(run);
        Assert.Equal(RunState.Cancelling, (await _world.FindAsync(run)).State);
        await _world.FinishJobAsync(run);
        await _world.PollAsync(run);

        var ended = await _world.FindAsync(run);
        Assert.Equal((RunState.Cancelled, "too expensive"), (ended.State, ended.Reason));
    }

    [Fact]
    public async Task A_cancellation_that_comes_too_late_revokes_the_model()
    {
        _world.Vertex.Faults.CancelLosesRace(1);
        var run = await StartAsync();

        await _world.CancelAsync(run);
        await _world.PollAsync(run);
        await _world.FinishJobAsync(run);
        await _world.PollAsync(run);

        var ended = await _world.FindAsync(run);
        Assert.Equal(RunState.Cancelled, ended.State);
        Assert.Contains("finished before the cancellation", ended.Reason, StringComparison.Ordinal);
        var model = await _world.FindModelAsync(run);
        Assert.Equal(
            (ModelStatus.Failed, "revoked: finished before the cancellation"), (model!.Status, model.StatusReason));
        Assert.NotNull(model.VertexEndpoint);
        Assert.DoesNotContain("training-finished", _world.Published.Topics);
    }

    [Fact]
    public async Task Between_the_end_of_the_job_and_its_registration_the_model_is_revoked_too()
    {
        var run = await StartAsync();
        await _world.FinishJobAsync(run);
        await _world.DieAtAsync(Failpoint.JobEndRecorded, () => _world.PollAsync(run));

        await _world.CancelAsync(run);
        await _world.PollAsync(run);

        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
        Assert.Equal("revoked: finished before the cancellation", (await _world.FindModelAsync(run))!.StatusReason);
    }

    [Fact]
    public async Task While_the_model_is_registered_only_one_of_both_happens()
    {
        var run = await StartAsync();
        await _world.FinishJobAsync(run);
        _world.At(Failpoint.JobEndRecorded, () => _world.CancelAsync(run));

        await _world.PollAsync(run);
        await _world.PollAsync(run);

        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
        Assert.Equal(ModelStatus.Failed, (await _world.FindModelAsync(run))!.Status);
    }

    [Fact]
    public async Task A_job_that_does_not_stop_goes_to_an_operator()
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        _world.Vertex.Faults.CancelLosesRace(1);
        var run = await StartAsync();
        await _world.CancelAsync(run);
        await _world.PollAsync(run);

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(25), World.Stop);
        await _world.SweepAsync();

        Assert.Equal(RunState.NeedsOperator, (await _world.FindAsync(run)).State);
    }

    private async Task<RunId> StartAsync()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);
        return run;
    }
}
