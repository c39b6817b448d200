using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>An installation of some years: ten thousand ended tuning jobs, at half a second a page.</summary>
public sealed class JobGrowthTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Ended = 10_000;

    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(postgres);
        _world.Time = _time;
        _world.Service = new SlowPages(_world.Service, _time, _world.Clock, TimeSpan.FromMilliseconds(500));
        _world.Vertex.AddEndedJobs(
            _world.Service.Target.Parent, Ended, _time.GetUtcNow() - TimeSpan.FromHours(3), TimeSpan.FromHours(1),
            (number, labels) =>
            {
                labels[TuningLabels.App] = TuningLabels.AppValue;
                labels[TuningLabels.Environment] = number % 2 == 0 ? "test" : "another";
                labels[TuningLabels.Run] = $"{new Guid(number, 1, 1, new byte[8])}";
                labels[TuningLabels.Attempt] = "1";
            });
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData(TuningJobOrder.NewestFirst, 1)]
    [InlineData(TuningJobOrder.OldestFirst, 100)]
    [InlineData(TuningJobOrder.Mixed, 100)]
    public async Task No_run_is_lost(TuningJobOrder order, int pages)
    {
        _world.Vertex.Faults.ListOrder = order;
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        await DeliverAsync(run);

        var now = await _world.FindAsync(run);
        Assert.True(now.State == RunState.Tuning, $"{now.State}: {now.Reason}");
        Assert.Equal(1, _world.CallsFor(run));
        Assert.Equal(pages, _world.Vertex.Calls[VertexMethod.ListTuningJobs]);
    }

    [Fact]
    public async Task A_list_goes_on_over_deliveries_and_reads_no_page_twice()
    {
        _world.Settings = Reading(TimeSpan.FromSeconds(15));
        _world.Vertex.Faults.ListOrder = TuningJobOrder.OldestFirst;
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        await _world.TrainAsync(run);

        var reading = await _world.FindAsync(run);
        Assert.Equal((RunState.Exported, 0), (reading.State, _world.CallsFor(run)));
        Assert.Contains("3,000 jobs of Vertex AI's list read so far", reading.Reason, StringComparison.Ordinal);
        Assert.Empty(await _world.AttemptsAsync(run));

        Assert.Equal(3, await DeliverAsync(run));

        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
        Assert.Equal((1, 100), (_world.CallsFor(run), _world.Vertex.Calls[VertexMethod.ListTuningJobs]));
        Assert.Null((await _world.FindAsync(run)).Reason);
    }

    [Fact]
    public async Task A_page_that_fails_and_a_worker_that_dies_cost_what_they_had_not_read()
    {
        _world.Settings = Reading(TimeSpan.FromSeconds(15));
        _world.Vertex.Faults.ListOrder = TuningJobOrder.OldestFirst;
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        _world.Vertex.Faults.Script(
            VertexMethod.ListTuningJobs,
            [.. Enumerable.Repeat<VertexAnswer>(new VertexAnswer.Delay(TimeSpan.Zero), 10), new VertexAnswer.Refuse(StatusCode.Internal, "broken")]);

        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));

        Assert.Contains("1,000 jobs", (await _world.FindAsync(run)).Reason, StringComparison.Ordinal);
        Assert.Contains("broken", (await _world.FindAsync(run)).Reason, StringComparison.Ordinal);

        // No page at all, eight times in a row: that is no progress.
        for (var delivery = 0; delivery < 8; delivery++)
        {
            _world.Vertex.Faults.Script(
                VertexMethod.ListTuningJobs, new VertexAnswer.Refuse(StatusCode.PermissionDenied, "no list"));
            await Assert.ThrowsAsync<RpcException>(() => _world.TrainAsync(run));
        }

        await _world.TrainAsync(run);
        var failed = await _world.FindAsync(run);
        Assert.Equal((RunState.Failed, 0), (failed.State, _world.CallsFor(run)));
        Assert.Contains("no list", failed.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_tokens_that_never_live_long_enough_end_with_a_person_and_not_in_a_loop()
    {
        _world.Vertex.Faults.ListOrder = TuningJobOrder.OldestFirst;
        _world.Vertex.Faults.PageTokenLife = TimeSpan.FromSeconds(-1);
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());

        await DeliverAsync(run);

        var failed = await _world.FindAsync(run);
        Assert.Equal((RunState.Failed, 0), (failed.State, _world.CallsFor(run)));
        Assert.Contains("could not be read to its end in 8 tries", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(16, _world.Vertex.Calls[VertexMethod.ListTuningJobs]);
    }

    [Fact]
    public async Task A_page_token_that_was_too_old_costs_a_list_from_its_beginning()
    {
        _world.Settings = Reading(TimeSpan.FromSeconds(40));
        _world.Vertex.Faults.ListOrder = TuningJobOrder.OldestFirst;
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);
        _world.Vertex.Faults.PageTokenLife = TimeSpan.FromSeconds(-1);
        _world.Service = new OnceRefused(_world.Service, () => _world.Vertex.Faults.PageTokenLife = null);

        await DeliverAsync(run);

        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
        Assert.Equal((1, 181), (_world.CallsFor(run), _world.Vertex.Calls[VertexMethod.ListTuningJobs]));
    }

    [Fact]
    public async Task A_second_call_is_made_only_after_a_list_of_its_own()
    {
        _world.Settings = Reading(TimeSpan.FromSeconds(40));
        _world.Vertex.Faults.ListOrder = TuningJobOrder.OldestFirst;
        _world.Vertex.Faults.Script(VertexMethod.CreateTuningJob, new VertexAnswer.Refuse(StatusCode.ResourceExhausted, "full"));
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await DeliverAsync(run);
        Assert.Equal(100, _world.Vertex.Calls[VertexMethod.ListTuningJobs]);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(1), World.Stop);

        await DeliverAsync(run);

        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
        Assert.Equal((2, 200), (_world.CallsFor(run), _world.Vertex.Calls[VertexMethod.ListTuningJobs]));
    }

    /// <summary>The list is read over three sweeps: only the third may say that there is no job.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Part_of_a_list_proves_no_absence_to_the_sweep(bool hasJob)
    {
        var run = await UnansweredAsync(
            hasJob ? new VertexAnswer.ExecuteAndLoseResponse() : new VertexAnswer.AbortBeforeExecuting());
        _world.Settings = Reading(TimeSpan.FromSeconds(20));
        _world.Vertex.Faults.ListOrder = TuningJobOrder.OldestFirst;
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(3), World.Stop);
        var dataset = Datasets.DatasetUri.NameOf(Assert.Single(await _world.AttemptsAsync(run)).DatasetUri);

        for (var sweep = 0; sweep < 2; sweep++)
        {
            await SweepAsync();
            Assert.NotNull(_world.Store.Find(dataset));
            Assert.Equal(0, Assert.Single(await _world.AttemptsAsync(run)).ListChecks);
        }

        await SweepAsync();
        var attempt = Assert.Single(await _world.AttemptsAsync(run));
        if (hasJob)
        {
            Assert.Equal((AttemptState.Created, RunState.Tuning), (attempt.State, (await _world.FindAsync(run)).State));
            Assert.Equal((1, 1), (_world.CallsFor(run), _world.JobsOf(run)));
            return;
        }

        Assert.Equal((AttemptState.Unknown, 1), (attempt.State, attempt.ListChecks));
        Assert.Null(_world.Store.Find(dataset));

        // A list that began after the object was deleted, whole: three sweeps more.
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(2), World.Stop);
        for (var sweep = 0; sweep < 3; sweep++)
        {
            Assert.Equal(AttemptState.Unknown, Assert.Single(await _world.AttemptsAsync(run)).State);
            await SweepAsync();
        }

        Assert.Equal(AttemptState.Absent, Assert.Single(await _world.AttemptsAsync(run)).State);
    }

    [Fact]
    public async Task What_an_earlier_sweep_saw_is_not_forgotten_by_the_one_that_comes_to_the_end()
    {
        var run = await UnansweredAsync(new VertexAnswer.AbortBeforeExecuting());
        _world.Settings = Reading(TimeSpan.FromSeconds(20));
        _world.Vertex.Faults.ListOrder = TuningJobOrder.OldestFirst;
        _world.Vertex.AddEndedJobs(
            _world.Service.Target.Parent, 1, _time.GetUtcNow() - TimeSpan.FromDays(10_000), TimeSpan.Zero,
            (_, labels) =>
            {
                labels[TuningLabels.App] = TuningLabels.AppValue;
                labels[TuningLabels.Environment] = "test";
                labels[TuningLabels.Run] = TuningRequest.RunLabel(run);
                labels[TuningLabels.Attempt] = "7";
            });
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(3), World.Stop);

        for (var sweep = 0; sweep < 7; sweep++)
        {
            await SweepAsync();
            await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(5), World.Stop);
        }

        var resting = await _world.FindAsync(run);
        Assert.Equal(RunState.NeedsOperator, resting.State);
        Assert.Contains("attempt 7, which is not recorded", resting.Reason, StringComparison.Ordinal);
        var attempt = Assert.Single(await _world.AttemptsAsync(run));
        Assert.Equal((AttemptState.Unknown, null), (attempt.State, attempt.DatasetDeletedAt));
    }

    [Fact]
    public async Task Two_jobs_of_one_run_are_found_on_pages_that_different_sweeps_read()
    {
        _world.Settings = Reading(TimeSpan.FromSeconds(20));
        var run = await UnansweredAsync(new VertexAnswer.AbortBeforeExecuting());
        var first = await CreateAgainAsync();
        var second = await CreateAgainAsync();
        _world.Vertex.Faults.ListOrder = TuningJobOrder.OldestFirst;

        for (var sweep = 0; sweep < 6; sweep++)
        {
            await SweepAsync();
            await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(5), World.Stop);
        }

        Assert.Equal(first.Name, Assert.Single(await _world.AttemptsAsync(run)).TuningJob);
        Assert.Equal(JobState.Cancelled, (await _world.Vertex.WaitForEndAsync(second.Name, World.Stop)).State);
        Assert.Equal(TuningJobState.Working, (await _world.Service.GetAsync(first.Name, World.Stop))!.State);
    }

    [Fact]
    public async Task A_sweep_whose_list_never_ends_asks_a_person_and_says_so_each_time()
    {
        var run = await UnansweredAsync(new VertexAnswer.AbortBeforeExecuting());
        _world.Vertex.Faults.ListOrder = TuningJobOrder.OldestFirst;
        _world.Vertex.Faults.PageTokenLife = TimeSpan.FromSeconds(-1);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(3), World.Stop);

        var failed = await Assert.ThrowsAsync<AggregateException>(SweepAsync);

        Assert.Contains("could not be listed to their end in 8 tries", failed.Message, StringComparison.Ordinal);
        var resting = await _world.FindAsync(run);
        Assert.Equal(RunState.NeedsOperator, resting.State);
        Assert.Contains("list of tuning jobs could not be read", resting.Reason, StringComparison.Ordinal);
        Assert.Equal(AttemptState.Unknown, Assert.Single(await _world.AttemptsAsync(run)).State);
        Assert.NotNull(_world.Store.Find(Datasets.DatasetUri.NameOf(Assert.Single(await _world.AttemptsAsync(run)).DatasetUri)));
    }

    private static TuningOptions Reading(TimeSpan time) => new() { ListTime = time, PollDelays = [TimeSpan.FromMinutes(1)] };

    private Task SweepAsync() => _world.SweepAsync(TimeSpan.FromDays(1));

    /// <summary>A run whose call was sent, and nobody knows with what end.</summary>
    private async Task<RunId> UnansweredAsync(VertexAnswer answer)
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        _world.Vertex.Faults.Script(VertexMethod.CreateTuningJob, answer);
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await DeliverAsync(run);
        Assert.Equal(RunState.CreateUnknown, (await _world.FindAsync(run)).State);
        return run;
    }

    /// <summary>
    /// Sends the request once more, past everything that should prevent it; the job never ends by itself.
    /// </summary>
    private async Task<TuningJob> CreateAgainAsync()
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        var answer = await _world.Service.CreateAsync(
            _world.Vertex.CreateRequests[0], await _world.Service.MintTokenAsync(World.Stop));
        return Assert.IsType<TuningAnswer.Created>(answer).Job;
    }

    /// <summary>Deliveries of the run's message until it leads to something else than another one.</summary>
    /// <returns>How many.</returns>
    private async Task<int> DeliverAsync(RunId run)
    {
        for (var delivery = 1; delivery <= 20; delivery++)
        {
            var sent = _world.Published.Messages.Count;
            await _world.TrainAsync(run);
            if (_world.Published.Topics.Skip(sent).All(topic => topic != Topics.DatasetExported))
            {
                return delivery;
            }
        }

        throw new InvalidOperationException($"run {run} goes on for ever");
    }

    /// <summary>Lets one page token be refused, and does something then.</summary>
    private sealed class OnceRefused(ITuningService inner, Action then) : ITuningService
    {
        public TuningTarget Target => inner.Target;

        public Task<CreationToken> MintTokenAsync(CancellationToken cancellationToken) =>
            inner.MintTokenAsync(cancellationToken);

        public Task<TuningAnswer> CreateAsync(CreateTuningJobRequest request, CreationToken token) =>
            inner.CreateAsync(request, token);

        public Task<TuningJob?> GetAsync(string name, CancellationToken cancellationToken) =>
            inner.GetAsync(name, cancellationToken);

        public async Task<TuningJobPage> ListPageAsync(
            string parent, string pageToken, CancellationToken cancellationToken)
        {
            try
            {
                return await inner.ListPageAsync(parent, pageToken, cancellationToken);
            }
            catch (PageTokenRefusedException)
            {
                then();
                throw;
            }
        }

        public Task<bool> CancelAsync(string name, CancellationToken cancellationToken) =>
            inner.CancelAsync(name, cancellationToken);
    }
}
