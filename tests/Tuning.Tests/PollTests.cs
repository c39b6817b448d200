using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Platform;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Tuning.Tests;

public sealed class PollTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_finished_job_becomes_the_ready_model_of_its_scope()
    {
        var run = await StartAsync(JobState.Succeeded);
        await _world.FinishJobAsync(run);

        Assert.IsType<StepOutcome.Done>(await _world.PollAsync(run));

        var ended = await _world.FindAsync(run);
        Assert.Equal((RunState.Succeeded, run.Value), (ended.State, ended.ModelId));
        var model = await _world.FindModelAsync(run);
        Assert.Equal((ModelStatus.Ready, 1), (model!.Status, model.Version));
        Assert.Contains("/endpoints/", model.VertexEndpoint, StringComparison.Ordinal);
        Assert.Contains("\"examples\": 3", model.TuningStatisticsJson, StringComparison.Ordinal);
        Assert.Equal("training-finished", _world.Published.Topics[^1]);
    }

    [Fact]
    public async Task A_partial_success_with_an_endpoint_counts()
    {
        var run = await StartAsync(JobState.PartiallySucceeded);
        await _world.FinishJobAsync(run);

        await _world.PollAsync(run);

        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
    }

    [Theory]
    [InlineData(JobState.Failed, "Failed: example 2 is broken")]
    [InlineData(JobState.Cancelled, "Cancelled: example 2 is broken")]
    [InlineData(JobState.Expired, "Expired: no reason given")]
    public async Task A_job_that_ends_without_a_model_fails_its_run_in_vertexs_words(JobState state, string reason)
    {
        var run = await StartAsync(state, "example 2 is broken");
        await _world.FinishJobAsync(run);

        await _world.PollAsync(run);

        var failed = await _world.FindAsync(run);
        Assert.Equal((RunState.Failed, $"tuning job {reason}"), (failed.State, failed.Reason));
        Assert.Equal(ModelStatus.Failed, (await _world.FindModelAsync(run))!.Status);
        Assert.NotNull(Assert.Single(await _world.AttemptsAsync(run)).JobEndedAt);
    }

    [Fact]
    public async Task A_job_at_work_is_looked_at_again_at_growing_distances()
    {
        _world.Settings = new TuningOptions();
        var run = await StartAsync(JobState.Running);

        List<double> minutes = [];
        for (var look = 0; look < 5; look++)
        {
            await _world.PollAsync(run);
            minutes.Add(await _world.Rows.ScalarAsync<double>(
                "select round(extract(epoch from next_poll_at - updated_at) / 60)::float8 from ml.training_runs", World.Stop));
        }

        Assert.Equal([1, 2, 5, 10, 10], minutes);
        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task The_sweep_polls_what_is_due_and_nothing_else()
    {
        var run = await StartAsync(JobState.Running);
        await _world.SweepAsync();
        Assert.Equal(0, _world.Vertex.Calls.GetValueOrDefault(VertexMethod.GetTuningJob));

        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(2), World.Stop);
        await _world.SweepAsync();

        Assert.Equal(1, _world.Vertex.Calls[VertexMethod.GetTuningJob]);
        Assert.Equal(1, (await _world.FindAsync(run)).PollCount);
    }

    [Fact]
    public async Task A_new_job_may_be_unknown_for_ten_minutes()
    {
        _world.Vertex.Faults.GetLag = TimeSpan.FromHours(1);
        var run = await StartAsync(JobState.Running);
        await _world.PollAsync(run);
        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);

        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(11), World.Stop);
        await _world.PollAsync(run);

        var failed = await _world.FindAsync(run);
        Assert.Equal(RunState.Failed, failed.State);
        Assert.Contains("no longer knows", failed.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_that_fails_gives_the_run_back()
    {
        var run = await StartAsync(JobState.Running);
        _world.Vertex.Faults.Script(
            VertexMethod.GetTuningJob, new VertexAnswer.Refuse(Grpc.Core.StatusCode.Internal, "broken"));

        await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => _world.PollAsync(run));

        Assert.IsType<StepOutcome.Done>(await _world.PollAsync(run));
    }

    [Fact]
    public async Task A_read_is_repeated_when_the_service_is_away_for_a_moment()
    {
        var run = await StartAsync(JobState.Running);
        _world.Vertex.Faults.Script(
            VertexMethod.GetTuningJob, new VertexAnswer.Refuse(Grpc.Core.StatusCode.Unavailable, "moving"));

        Assert.IsType<StepOutcome.Done>(await _world.PollAsync(run));

        Assert.Equal(2, _world.Vertex.Calls[VertexMethod.GetTuningJob]);
    }

    [Theory]
    [InlineData(Failpoint.PollClaimed)]
    [InlineData(Failpoint.JobEndRecorded)]
    [InlineData(Failpoint.ModelRegistered)]
    public async Task A_worker_that_dies_leaves_one_ready_model_in_the_end(string failpoint)
    {
        var run = await StartAsync(JobState.Succeeded);
        await _world.FinishJobAsync(run);

        await _world.DieAtAsync(failpoint, () => _world.PollAsync(run));
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(3), World.Stop);
        await _world.SweepAndDeliverAsync();

        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
        Assert.Equal(ModelStatus.Ready, (await _world.FindModelAsync(run))!.Status);
        Assert.Single(_world.Published.Topics, topic => topic == "training-finished");
    }

    [Theory]
    [InlineData(RunState.Exported)]
    [InlineData(RunState.CreateUnknown)]
    [InlineData(RunState.Succeeded)]
    public async Task A_hint_to_look_at_another_state_changes_nothing(string state)
    {
        if (state == RunState.CreateUnknown)
        {
            _world.Vertex.Faults.Script(VertexMethod.CreateTuningJob, new VertexAnswer.AbortBeforeExecuting());
        }

        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        if (state != RunState.Exported)
        {
            await _world.TrainAsync(run);
        }

        if (state == RunState.Succeeded)
        {
            await _world.FinishJobAsync(run);
            await _world.PollAsync(run);
        }

        Assert.IsType<StepOutcome.AlreadyDone>(await _world.PollAsync(run));
        Assert.Equal(state, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task The_second_model_of_a_scope_takes_the_place_of_the_first()
    {
        var scope = await _world.AddScopeAsync();
        var first = await _world.AddReadyModelAsync(scope);
        var second = await _world.AddReadyModelAsync(scope);

        Assert.Equal(ModelStatus.Deprecated, (await _world.FindModelAsync(first))!.Status);
        var model = await _world.FindModelAsync(second);
        Assert.Equal((ModelStatus.Ready, 2), (model!.Status, model.Version));
    }

    [Fact]
    public async Task Tuning_that_takes_too_long_is_cancelled_and_fails()
    {
        var run = await StartAsync(JobState.Running);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(73), World.Stop);
        await _world.SweepAsync();
        Assert.Equal(RunState.Cancelling, (await _world.FindAsync(run)).State);

        await _world.SweepAsync();
        await _world.FinishJobAsync(run);
        await _world.PollAsync(run);

        var failed = await _world.FindAsync(run);
        Assert.Equal((RunState.Failed, "tuning took longer than 72 hours"), (failed.State, failed.Reason));
    }

    [Fact]
    public async Task A_job_that_finished_at_the_last_moment_is_not_thrown_away()
    {
        var run = await StartAsync(JobState.Succeeded);
        await _world.FinishJobAsync(run);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(73), World.Stop);

        await _world.SweepAndDeliverAsync();

        Assert.Equal(RunState.Succeeded, (await _world.FindAsync(run)).State);
    }

    private async Task<RunId> StartAsync(JobState end, string message = "")
    {
        if (end != JobState.Succeeded)
        {
            _world.Vertex.Faults.EndNextJob(end, message);
        }

        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);
        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
        return run;
    }
}
