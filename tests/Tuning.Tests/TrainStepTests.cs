using FeedbackLoop.Datasets;
using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Microsoft.Extensions.Time.Testing;

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

    [Fact]
    public async Task The_request_names_the_attempts_own_file_and_never_the_master()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        await _world.TrainAsync(run);

        var request = Assert.Single(_world.Vertex.CreateRequests);
        Assert.EndsWith("/attempts/1/train.jsonl", request.TuningJob.SupervisedTuningSpec.TrainingDatasetUri, StringComparison.Ordinal);
        Assert.Equal(TuningRequest.Hash(request), await _world.Rows.ScalarAsync<string>(
            "select request_sha256 from ml.tuning_attempts", World.Stop));
    }

    [Theory]
    [InlineData(RunState.Creating)]
    [InlineData(RunState.Tuning)]
    [InlineData(RunState.Cancelling)]
    [InlineData(RunState.Cancelled)]
    [InlineData(RunState.Succeeded)]
    public async Task A_message_that_comes_again_makes_no_second_call(string state)
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await BringToAsync(run, state);
        var calls = _world.CallsFor(run);

        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));

        Assert.Equal(state, (await _world.FindAsync(run)).State);
        Assert.Equal(calls, _world.CallsFor(run));
    }

    [Fact]
    public async Task A_run_that_does_not_exist_is_rejected() =>
        Assert.IsType<StepOutcome.Rejected>(await _world.TrainAsync(RunId.New(TimeProvider.System.GetUtcNow())));

    [Fact]
    public async Task Eight_workers_at_once_make_one_call()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _world.TrainAsync(run)));

        Assert.Single(outcomes.OfType<StepOutcome.Done>());
        Assert.Equal(1, _world.CallsFor(run));
    }

    [Fact]
    public async Task A_worker_that_lost_its_lease_does_not_call()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        _world.At(Failpoint.AttemptFileCopied, async () =>
        {
            await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(3), World.Stop);
            Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));
        });

        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));

        Assert.Equal(1, _world.CallsFor(run));
        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_worker_that_sleeps_after_its_intent_does_not_call_any_more(bool doesMonotonicClockStandStill)
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        var time = new SleepyTime(doesMonotonicClockStandStill);
        _world.Time = time;
        _world.At(Failpoint.IntentRecorded, () =>
        {
            time.Sleep(TimeSpan.FromSeconds(31));
            return Task.CompletedTask;
        });

        await Assert.ThrowsAsync<TimeoutException>(() => _world.TrainAsync(run));

        Assert.Equal(0, _world.CallsFor(run));
        Assert.Equal(AttemptState.Rejected, Assert.Single(await _world.AttemptsAsync(run)).State);
        Assert.Equal(RunState.Exported, (await _world.FindAsync(run)).State);

        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));
        Assert.Equal(1, _world.JobsOf(run));
    }

    [Fact]
    public async Task A_token_that_expired_on_the_way_is_refused_by_google_and_the_run_waits()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var world = await World.StartAsync(postgres, time);
        var run = await world.AddExportedRunAsync(await world.AddScopeAsync());
        world.At(Failpoint.IntentRecorded, () =>
        {
            time.Advance(TimeSpan.FromSeconds(301));
            return Task.CompletedTask;
        });

        await world.TrainAsync(run);

        Assert.Equal((1, 0), (world.CallsFor(run), world.JobsOf(run)));
        var attempt = Assert.Single(await world.AttemptsAsync(run));
        Assert.Equal((AttemptState.Rejected, "Unauthenticated"), (attempt.State, attempt.StatusCode));
        Assert.Equal(RunState.Exported, (await world.FindAsync(run)).State);
    }

    [Fact]
    public async Task A_job_that_is_there_already_is_adopted_instead_of_made_again()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        _world.Vertex.Faults.Script(VertexMethod.CreateTuningJob, new VertexAnswer.ExecuteAndLoseResponse());
        await _world.TrainAsync(run);
        await BurnAttemptAsync(run);

        // Attempt 1 counts as absent, and yet its job turns up in the list: attempt 2 gets it.
        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));

        Assert.Equal(1, _world.CallsFor(run));
        var attempts = await _world.AttemptsAsync(run);
        Assert.Equal([AttemptState.Absent, AttemptState.Created], attempts.Select(attempt => attempt.State));
    }

    [Theory]
    [InlineData(Failpoint.TrainClaimed)]
    [InlineData(Failpoint.AttemptFileCopied)]
    [InlineData(Failpoint.IntentRecorded)]
    [InlineData(Failpoint.JobCreated)]
    [InlineData(Failpoint.JobRecorded)]
    public async Task A_worker_that_dies_leaves_one_job_in_the_end(string failpoint)
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        await _world.DieAtAsync(failpoint, () => _world.TrainAsync(run));
        for (var hours = 0; hours < 4 && (await _world.FindAsync(run)).State != RunState.Tuning; hours++)
        {
            await _world.Clock.AdvanceAsync(TimeSpan.FromHours(1), World.Stop);
            await _world.SweepAsync();
            await _world.Clock.AdvanceAsync(TimeSpan.FromSeconds(61), World.Stop);
            await _world.SweepAsync();
            await _world.TrainAsync(run);
        }

        Assert.Contains((await _world.FindAsync(run)).State, new[] { RunState.Tuning, RunState.Evaluating, RunState.Succeeded });
        Assert.Equal(1, _world.JobsOf(run));
    }

    [Fact]
    public async Task An_exception_gives_the_lease_back_and_leaves_its_reason()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        _world.Vertex.Faults.AnswerIam(503);

        await Assert.ThrowsAsync<HttpRequestException>(() => _world.TrainAsync(run));

        Assert.Contains("503", (await _world.FindAsync(run)).Reason, StringComparison.Ordinal);
        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));
    }

    [Fact]
    public async Task A_step_that_fails_eight_times_fails_its_run_with_the_last_reason()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        for (var attempt = 0; attempt < 8; attempt++)
        {
            _world.Vertex.Faults.AnswerIam(503);
            await Assert.ThrowsAsync<HttpRequestException>(() => _world.TrainAsync(run));
        }

        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(run));

        var failed = await _world.FindAsync(run);
        Assert.Equal(RunState.Failed, failed.State);
        Assert.Contains("503", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(0, _world.CallsFor(run));
    }

    [Fact]
    public async Task A_dataset_that_is_gone_for_good_fails_its_run()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.Store.DeleteAsync(
            DatasetUri.NameOf((await _world.FindDatasetAsync(run)).TrainUri), null, World.Stop);

        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(run));

        Assert.Equal(RunState.Failed, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task A_bucket_that_does_not_answer_leaves_the_run_for_the_next_delivery()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        _world.Store.FailNextCopy(new DatasetStoreException("503", isPermanent: false, inner: null));

        await Assert.ThrowsAsync<DatasetStoreException>(() => _world.TrainAsync(run));

        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));
    }

    [Fact]
    public async Task A_dataset_that_vertex_would_refuse_costs_no_call()
    {
        var run = await _world.AddExportedRunAsync(
            await _world.AddScopeAsync(), change: dataset => dataset with { TrainBytes = 1_000_000_001 });

        await _world.TrainAsync(run);

        var failed = await _world.FindAsync(run);
        Assert.Equal(RunState.Failed, failed.State);
        Assert.Contains("1000000001 bytes", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(0, _world.Vertex.Calls.GetValueOrDefault(VertexMethod.CreateTuningJob));
    }

    [Fact]
    public async Task A_retired_base_model_fails_the_run_and_names_its_successor()
    {
        var run = await _world.AddExportedRunAsync(
            await _world.AddScopeAsync(), new TuningParameters { BaseModel = "gemini-2.5-flash" });

        await _world.TrainAsync(run);

        Assert.Equal(
            "gemini-2.5-flash was retired on 2026-10-20; use gemini-3.5-flash", (await _world.FindAsync(run)).Reason);
    }

    [Fact]
    public async Task A_project_goes_on_from_its_general_model_under_its_own_name()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        var general = await _world.AddReadyModelAsync(project with { ProjectId = null });
        var run = await _world.AddExportedRunAsync(project);

        await _world.TrainAsync(run);

        var parent = await _world.FindModelAsync(general);
        var request = _world.Vertex.CreateRequests[^1].TuningJob;
        Assert.Equal(Google.Cloud.AIPlatform.V1.TuningJob.SourceModelOneofCase.PreTunedModel, request.SourceModelCase);
        Assert.Equal(parent!.VertexModel, request.PreTunedModel.TunedModelName);
        Assert.NotEqual(_world.Vertex.CreateRequests[0].TuningJob.TunedModelDisplayName, request.TunedModelDisplayName);
        var model = await _world.FindModelAsync(run);
        Assert.Equal((general, parent.BaseModel), (model!.ParentModelId, model.BaseModel));
    }

    [Fact]
    public async Task A_general_model_that_cannot_be_tuned_further_stops_the_project()
    {
        var project = await _world.AddScopeAsync(isProject: true);
        await _world.AddReadyModelAsync(project with { ProjectId = null });
        _world.Catalogue = Catalogues.Of(Catalogues.Model("gemini-3.1-flash-lite", continuous: false));
        var run = await _world.AddExportedRunAsync(project);

        await _world.TrainAsync(run);

        var failed = await _world.FindAsync(run);
        Assert.Equal(RunState.Failed, failed.State);
        Assert.Contains("train it again first", failed.Reason, StringComparison.Ordinal);
    }

    private async Task BringToAsync(RunId run, string state)
    {
        switch (state)
        {
            case RunState.Creating:
                await _world.DieAtAsync(Failpoint.IntentRecorded, () => _world.TrainAsync(run));
                break;
            case RunState.Tuning:
                await _world.TrainAsync(run);
                break;
            case RunState.Cancelling:
                await _world.CancelAsync(run);
                break;
            case RunState.Cancelled:
                await _world.CancelAsync(run);
                await _world.PollAsync(run);
                break;
            case RunState.Succeeded:
                await _world.TrainAsync(run);
                await _world.FinishJobAsync(run);
                await _world.PollAsync(run);
                break;
        }
    }

    private async Task BurnAttemptAsync(RunId run)
    {
        // Vertex hides the job for as long as the sweeps look.
        _world.Vertex.Faults.ListLag = TimeSpan.FromHours(1);
        await _world.SweepAsync();
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(3), World.Stop);
        await _world.SweepAsync();
        await _world.Clock.AdvanceAsync(TimeSpan.FromSeconds(61), World.Stop);
        await _world.SweepAsync();
        Assert.Equal(AttemptState.Absent, Assert.Single(await _world.AttemptsAsync(run)).State);
        _world.Vertex.Faults.ListLag = TimeSpan.Zero;
    }

    /// <summary>A machine that can be put to sleep; its monotonic clock may notice or not.</summary>
    private sealed class SleepyTime(bool doesMonotonicClockStandStill) : TimeProvider
    {
        private TimeSpan _slept;

        public void Sleep(TimeSpan time) => _slept += time;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + _slept;

        public override long GetTimestamp() => base.GetTimestamp()
            + (doesMonotonicClockStandStill ? 0 : (long)(_slept.TotalSeconds * TimestampFrequency));
    }
}
