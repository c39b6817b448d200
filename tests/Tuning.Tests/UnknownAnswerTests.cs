using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>What the sweep makes of calls without an answer.</summary>
public sealed class UnknownAnswerTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task No_job_after_the_quiet_time_burns_the_object_and_makes_one_more_attempt()
    {
        var run = await UnansweredAsync();
        var burned = Assert.Single(await _world.AttemptsAsync(run)).DatasetUri;
        await _world.SweepAsync();
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(119), World.Stop);
        await _world.SweepAsync();
        Assert.NotNull(_world.Store.Find(NameOf(burned)));

        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(2), World.Stop);
        await _world.SweepAsync();
        Assert.Null(_world.Store.Find(NameOf(burned)));
        await _world.Clock.AdvanceAsync(TimeSpan.FromSeconds(20), World.Stop);
        await _world.SweepAsync();
        Assert.Equal(AttemptState.Unknown, Assert.Single(await _world.AttemptsAsync(run)).State);

        await _world.Clock.AdvanceAsync(TimeSpan.FromSeconds(61), World.Stop);
        await _world.SweepAsync();
        Assert.Equal(AttemptState.Absent, Assert.Single(await _world.AttemptsAsync(run)).State);
        Assert.Equal("dataset-exported", _world.Published.Topics[^1]);
        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));

        var attempts = await _world.AttemptsAsync(run);
        Assert.Equal([AttemptState.Absent, AttemptState.Created], attempts.Select(attempt => attempt.State));
        Assert.NotEqual(burned, attempts[1].DatasetUri);
        Assert.Equal((2, 1), (_world.CallsFor(run), _world.JobsOf(run)));
    }

    /// <summary>A worker that slept through everything copies the attempt's file once more, before and after it was deleted.</summary>
    [Fact]
    public async Task The_object_is_burned_whoever_wrote_it_again()
    {
        var run = await UnansweredAsync();
        var name = NameOf(Assert.Single(await _world.AttemptsAsync(run)).DatasetUri);
        _world.Store.Put(name, "written once more, of another generation");
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(121), World.Stop);
        await _world.SweepAsync();
        Assert.Null(_world.Store.Find(name));

        _world.Store.Put(name, "and again");
        await _world.Clock.AdvanceAsync(TimeSpan.FromSeconds(61), World.Stop);
        await _world.SweepAsync();

        Assert.Equal(AttemptState.Absent, Assert.Single(await _world.AttemptsAsync(run)).State);
        Assert.Null(_world.Store.Find(name));
    }

    [Fact]
    public async Task A_call_that_stays_unsettled_is_reported_by_every_sweep_even_if_no_job_can_be_listed()
    {
        var run = await UnansweredAsync();
        await LoseListsAsync();
        Assert.Empty(Reports());
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(178), World.Stop);
        await LoseListsAsync();
        Assert.Empty(Reports());

        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(3), World.Stop);
        await LoseListsAsync();
        await LoseListsAsync();

        Assert.Equal(2, Reports().Count(line => line.StartsWith($"Run {run} is unsettled", StringComparison.Ordinal)));

        // Settled, or with a person who has an alert already: nothing more to report.
        await LetQuietTimePassAsync();
        var before = Reports().Count;
        await _world.SweepAsync();
        Assert.Equal(before, Reports().Count);

        IReadOnlyList<string> Reports() => _world.ReconcilerLog.At(LogLevel.Error);
    }

    [Fact]
    public async Task After_a_silence_that_made_no_job_a_stop_is_kept_too()
    {
        var run = await UnansweredAsync(times: 1);
        await LetQuietTimePassAsync();
        Assert.Equal(RunState.CreateUnknown, (await _world.FindAsync(run)).State);
        await using (var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop))
        {
            Assert.True(await db.StopSpendingAsync("ops", "audit", TimeProvider.System.GetUtcNow(), World.Stop));
        }

        Assert.IsType<StepOutcome.Skipped>(await _world.TrainAsync(run));

        Assert.Equal(RunState.Skipped, (await _world.FindAsync(run)).State);
        Assert.Equal((1, 0), (_world.CallsFor(run), _world.JobsOf(run)));
    }

    [Fact]
    public async Task A_second_silence_goes_to_an_operator_and_is_never_followed_by_a_third_call()
    {
        var run = await UnansweredAsync(times: 2);
        await LetQuietTimePassAsync();
        await _world.TrainAsync(run);
        await LetQuietTimePassAsync();

        var resting = await _world.FindAsync(run);
        Assert.Equal(RunState.NeedsOperator, resting.State);
        Assert.Contains("second call", resting.Reason, StringComparison.Ordinal);
        Assert.Single(_world.ReconcilerLog.At(LogLevel.Critical));
        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));
        Assert.Equal((2, 0), (_world.CallsFor(run), _world.JobsOf(run)));
    }

    [Fact]
    public async Task A_job_that_turns_up_while_the_run_rests_with_an_operator_is_adopted()
    {
        var run = await UnansweredAsync(times: 2);
        await LetQuietTimePassAsync();
        var request = _world.Vertex.CreateRequests[0];
        await _world.TrainAsync(run);
        await LetQuietTimePassAsync();
        _world.Store.Put(NameOf(request.TuningJob.SupervisedTuningSpec.TrainingDatasetUri), World.Line);

        await _world.Service.CreateAsync(request, await _world.Service.MintTokenAsync(World.Stop));
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(1), World.Stop);
        await _world.SweepAsync();

        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task A_job_with_our_label_and_other_data_is_nothing_a_machine_may_settle()
    {
        var run = await UnansweredAsync();
        var request = _world.Vertex.CreateRequests[0];
        _world.Store.Put("other/train.jsonl", World.Line);
        request.TuningJob.SupervisedTuningSpec.TrainingDatasetUri = _world.Store.UriOf("other/train.jsonl");
        await _world.Service.CreateAsync(request, await _world.Service.MintTokenAsync(World.Stop));

        await _world.SweepAsync();

        var resting = await _world.FindAsync(run);
        Assert.Equal(RunState.NeedsOperator, resting.State);
        Assert.Contains("other/train.jsonl", resting.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_jobs_for_one_silence_keep_the_oldest_and_stop_the_other()
    {
        var run = await UnansweredAsync();
        var first = await CreateAgainAsync();
        var second = await CreateAgainAsync();

        await _world.SweepAsync();

        Assert.Equal(first.Name, Assert.Single(await _world.AttemptsAsync(run)).TuningJob);
        await AssertStoppedAsync(second.Name);
        Assert.Equal(TuningJobState.Working, (await _world.Service.GetAsync(first.Name, World.Stop))!.State);
        Assert.Equal(1, await _world.Rows.ScalarAsync<long>(
            "select count(*) from ml.audit_log where action = 'cancel-duplicate-job'", World.Stop));
    }

    [Fact]
    public async Task A_job_made_twice_is_stopped_whenever_it_turns_up()
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);
        var twin = await CreateAgainAsync();

        await _world.SweepAsync();

        await AssertStoppedAsync(twin.Name);
        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task A_job_of_a_run_that_does_not_exist_is_stopped_and_one_of_another_installation_is_not()
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        await _world.TrainAsync(await _world.AddExportedRunAsync(await _world.AddScopeAsync()));
        var request = _world.Vertex.CreateRequests[0];
        request.TuningJob.Labels[TuningLabels.Run] = Guid.CreateVersion7().ToString();
        var orphan = await CreateAgainAsync(request);
        request.TuningJob.Labels[TuningLabels.Environment] = "another";
        var foreign = await CreateAgainAsync(request);

        await _world.SweepAsync();

        await AssertStoppedAsync(orphan.Name);
        Assert.Equal(TuningJobState.Working, (await _world.Service.GetAsync(foreign.Name, World.Stop))!.State);
    }

    [Fact]
    public async Task A_list_that_fails_leaves_everything_as_it_is_and_the_rest_of_the_sweep_goes_on()
    {
        var run = await UnansweredAsync();
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(3), World.Stop);
        _world.Vertex.Faults.Script(
            VertexMethod.ListTuningJobs, new VertexAnswer.Refuse(Grpc.Core.StatusCode.Internal, "broken"));
        var waiting = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());

        Assert.Equal(0, Assert.Single(await _world.AttemptsAsync(run)).ListChecks);
        Assert.NotNull(_world.Store.Find(NameOf(Assert.Single(await _world.AttemptsAsync(run)).DatasetUri)));
        Assert.Contains(_world.Published.Messages, message => message.Payload.Contains($"{waiting}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cancelled_run_waits_until_its_unanswered_call_is_settled()
    {
        var run = await UnansweredAsync();
        await _world.CancelAsync(run);
        await _world.PollAsync(run);
        Assert.Equal(RunState.Cancelling, (await _world.FindAsync(run)).State);

        await LetQuietTimePassAsync();
        await _world.PollAsync(run);

        Assert.Equal(RunState.Cancelled, (await _world.FindAsync(run)).State);
        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));
        Assert.Equal((1, 0), (_world.CallsFor(run), _world.JobsOf(run)));
    }

    [Fact]
    public async Task A_lost_message_is_sent_again_once_patience_is_over()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.SweepAsync(TimeSpan.FromMinutes(2));
        Assert.DoesNotContain("dataset-exported", _world.Published.Topics);

        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(3), World.Stop);
        await _world.SweepAsync(TimeSpan.FromMinutes(2));

        Assert.Equal($$"""{"runId":"{{run}}"}""", _world.Published.Messages[^1].Payload.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal("dataset-exported", _world.Published.Topics[^1]);
    }

    [Fact]
    public async Task An_export_that_takes_too_long_fails_its_run()
    {
        var scope = await _world.AddScopeAsync();
        await using var db = await _world.Rows.Database.OpenConnectionAsync(World.Stop);
        var outcome = await db.RequestRunAsync(
            new RunRequest(
                scope, RunPurpose.Training, RunTrigger.Manual, "tester", RunParameters.Default, Key: null),
            TimeProvider.System.GetUtcNow(), World.Stop);
        var run = Assert.IsType<RunRequestOutcome.Accepted>(outcome).RunId;

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(2), World.Stop);
        await _world.SweepAsync();

        var failed = await _world.FindAsync(run);
        Assert.Equal((RunState.Failed, "the export took longer than it may"), (failed.State, failed.Reason));
    }

    [Fact]
    public async Task Clocks_that_differ_are_reported()
    {
        await _world.SweepAsync();
        Assert.Empty(_world.SweepLog.At(LogLevel.Warning));

        await _world.Clock.AdvanceAsync(TimeSpan.FromSeconds(7), World.Stop);
        await _world.SweepAsync();

        Assert.Contains("seconds apart", Assert.Single(_world.SweepLog.At(LogLevel.Warning)), StringComparison.Ordinal);
    }

    // That it was asked to stop is known at once. Only then is its end waited for: a job that nobody stops runs for
    // ever.
    private async Task AssertStoppedAsync(string job)
    {
        Assert.StartsWith(
            $"Tuning job {job} ", Assert.Single(_world.DuplicateLog.At(LogLevel.Critical)), StringComparison.Ordinal);
        Assert.Equal(JobState.Cancelled, (await _world.Vertex.WaitForEndAsync(job, World.Stop).WithPatience()).State);
    }

    private async Task<RunId> UnansweredAsync(int times = 1)
    {
        _world.Vertex.Faults.Script(
            VertexMethod.CreateTuningJob,
            [.. Enumerable.Repeat<VertexAnswer>(new VertexAnswer.AbortBeforeExecuting(), times)]);
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);
        Assert.Equal(RunState.CreateUnknown, (await _world.FindAsync(run)).State);
        return run;
    }

    private async Task LetQuietTimePassAsync()
    {
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(3), World.Stop);
        await _world.SweepAsync();
        await _world.Clock.AdvanceAsync(TimeSpan.FromSeconds(61), World.Stop);
        await _world.SweepAsync();
    }

    /// <summary>A sweep to which Vertex's list is closed.</summary>
    private async Task LoseListsAsync()
    {
        _world.Vertex.Faults.Script(
            VertexMethod.ListTuningJobs, new VertexAnswer.Refuse(StatusCode.PermissionDenied, "no aiplatform.tuningJobs.list"));
        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());
    }

    /// <summary>Sends a request once more, past everything that should prevent it; the job never ends by itself.</summary>
    private async Task<TuningJob> CreateAgainAsync(CreateTuningJobRequest? request = null)
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        var answer = await _world.Service.CreateAsync(
            request ?? _world.Vertex.CreateRequests[0], await _world.Service.MintTokenAsync(World.Stop));
        return Assert.IsType<TuningAnswer.Created>(answer).Job;
    }

    private static string NameOf(string uri) => Datasets.DatasetUri.NameOf(uri);
}
