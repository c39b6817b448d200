using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>
/// One tenant's run is poisoned for ever: nothing can be read or written of it. All others' runs go on.
/// </summary>
public sealed class PoisonedRunTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_job_that_nobody_may_read_keeps_no_other_run_from_the_end_of_its_time()
    {
        var poisoned = await StartJobAsync(await _world.AddScopeAsync());
        await CloseAsync(poisoned);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(50), World.Stop);
        var exported = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        var stopping = await StartJobAsync(await _world.AddScopeAsync(), losesCancel: true);
        await _world.CancelAsync(stopping);
        var tuning = await StartJobAsync(await _world.AddScopeAsync());
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(25), World.Stop);

        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());

        Assert.Equal(RunState.Failed, (await _world.FindAsync(exported)).State);
        Assert.Equal(RunState.NeedsOperator, (await _world.FindAsync(stopping)).State);
        Assert.Equal(RunState.Tuning, (await _world.FindAsync(tuning)).State);
    }

    [Fact]
    public async Task A_job_that_nobody_may_read_is_cancelled_at_its_deadline_and_then_given_to_a_person()
    {
        var run = await StartJobAsync(await _world.AddScopeAsync());
        await CloseAsync(run);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(71), World.Stop);
        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());
        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(2), World.Stop);
        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());

        var cancelling = await _world.FindAsync(run);
        Assert.Equal((RunState.Cancelling, RunState.Failed), (cancelling.State, cancelling.EndsAs));
        Assert.Contains("72 hours, and its job cannot be read: ", cancelling.Reason, StringComparison.Ordinal);
        Assert.Contains("PermissionDenied", cancelling.Reason, StringComparison.Ordinal);

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(25), World.Stop);
        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());
        await _world.SweepAsync();

        var resting = await _world.FindAsync(run);
        Assert.Equal(RunState.NeedsOperator, resting.State);
        Assert.Contains("its job cannot be read", resting.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_cannot_be_read_is_asked_to_stop_all_the_same()
    {
        var run = await StartJobAsync(await _world.AddScopeAsync());
        var name = Assert.Single(await _world.AttemptsAsync(run)).TuningJob!;
        _world.Vertex.Faults.CloseJob(name, VertexMethod.GetTuningJob, StatusCode.PermissionDenied);
        await _world.CancelAsync(run);

        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());

        Assert.Equal(JobState.Cancelled, (await _world.Vertex.WaitForEndAsync(name, World.Stop)).State);
        Assert.Equal(RunState.Cancelling, (await _world.FindAsync(run)).State);
    }

    [Fact]
    public async Task A_batch_full_of_one_tenants_poisoned_runs_has_a_place_for_another_tenants_run()
    {
        _world.BatchSize = 2;
        var tenant = await _world.AddScopeAsync(isProject: true);
        for (var run = 0; run < 4; run++)
        {
            var project = await _world.Rows.AddProjectAsync(tenant.OrganizationId, World.Stop);
            await CloseAsync(await StartJobAsync(tenant with { ProjectId = project }));
        }

        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(1), World.Stop);
        var healthy = await StartJobAsync(await _world.AddScopeAsync());
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(2), World.Stop);

        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());

        Assert.Equal(1, (await _world.FindAsync(healthy)).PollCount);
    }

    [Fact]
    public async Task A_tenants_own_run_comes_after_its_poisoned_ones_in_the_next_sweeps()
    {
        _world.BatchSize = 2;
        var tenant = await _world.AddScopeAsync(isProject: true);
        for (var run = 0; run < 4; run++)
        {
            var project = await _world.Rows.AddProjectAsync(tenant.OrganizationId, World.Stop);
            await CloseAsync(await StartJobAsync(tenant with { ProjectId = project }));
        }

        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(1), World.Stop);
        var healthy = await StartJobAsync(tenant);

        for (var sweep = 0; sweep < 3; sweep++)
        {
            await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(5), World.Stop);
            await Record.ExceptionAsync(() => _world.SweepAsync());
        }

        Assert.InRange((await _world.FindAsync(healthy)).PollCount, 1, 3);
    }

    [Fact]
    public async Task A_row_that_cannot_be_written_keeps_no_other_run_from_the_end_of_its_time()
    {
        var poisoned = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        var other = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await PoisonAsync(poisoned);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(25), World.Stop);

        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());

        Assert.Equal(RunState.Exported, (await _world.FindAsync(poisoned)).State);
        Assert.Equal(RunState.Failed, (await _world.FindAsync(other)).State);
    }

    [Fact]
    public async Task A_row_that_cannot_be_written_keeps_no_other_run_asleep()
    {
        var poisoned = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        var other = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await PoisonAsync(poisoned);
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(5), World.Stop);

        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());

        Assert.Contains(
            _world.Published.Messages, sent => sent.Payload.Contains($"{other}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_row_that_cannot_be_written_keeps_no_other_deleted_project_in_training()
    {
        var scopes = new[] { await _world.AddScopeAsync(isProject: true), await _world.AddScopeAsync(isProject: true) };
        var poisoned = await _world.AddExportedRunAsync(scopes[0]);
        var other = await _world.AddExportedRunAsync(scopes[1]);
        await PoisonAsync(poisoned);
        await _world.Rows.ExecuteAsync("delete from kb.projects", World.Stop);

        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync(TimeSpan.FromHours(1)));

        Assert.Equal(RunState.Exported, (await _world.FindAsync(poisoned)).State);
        Assert.Equal("the product has deleted the run's project", (await _world.FindAsync(other)).Reason);
    }

    [Fact]
    public async Task A_row_that_cannot_be_written_keeps_no_other_call_from_being_looked_for()
    {
        var poisoned = await DyingAsync();
        var other = await DyingAsync();
        await PoisonAsync(poisoned);
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(10), World.Stop);

        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync(TimeSpan.FromHours(1)));

        Assert.Equal(AttemptState.Sending, Assert.Single(await _world.AttemptsAsync(poisoned)).State);
        Assert.Equal(AttemptState.Unknown, Assert.Single(await _world.AttemptsAsync(other)).State);
    }

    [Fact]
    public async Task An_object_that_cannot_be_deleted_keeps_no_other_call_unsettled()
    {
        var poisoned = await UnansweredAsync();
        var other = await UnansweredAsync();
        _world.BatchSize = 1;
        await PoisonAttemptAsync(poisoned);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(3), World.Stop);

        for (var sweep = 0; sweep < 2; sweep++)
        {
            await Record.ExceptionAsync(() => _world.SweepAsync(TimeSpan.FromDays(1)));
        }

        Assert.Null(Assert.Single(await _world.AttemptsAsync(poisoned)).DatasetDeletedAt);
        Assert.NotNull(Assert.Single(await _world.AttemptsAsync(other)).DatasetDeletedAt);
    }

    [Fact]
    public async Task A_call_that_nothing_settles_for_a_day_is_given_to_a_person()
    {
        var run = await UnansweredAsync();
        await PoisonAttemptAsync(run);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(25), World.Stop);
        await Record.ExceptionAsync(() => _world.SweepAsync(TimeSpan.FromDays(9)));
        Assert.Equal(RunState.CreateUnknown, (await _world.FindAsync(run)).State);

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(2), World.Stop);
        await Record.ExceptionAsync(() => _world.SweepAsync(TimeSpan.FromDays(9)));

        var resting = await _world.FindAsync(run);
        Assert.Equal(RunState.NeedsOperator, resting.State);
        Assert.Contains("attempt 1 was sent at", resting.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_duplicate_that_cannot_be_stopped_is_said_and_keeps_no_other_one_alive()
    {
        await _world.TrainAsync(await _world.AddExportedRunAsync(await _world.AddScopeAsync()));
        var request = _world.Vertex.CreateRequests[0];
        var orphans = new List<TuningJob>();
        for (var orphan = 0; orphan < 3; orphan++)
        {
            _world.Vertex.Faults.EndNextJob(JobState.Running, "");
            request.TuningJob.Labels[TuningLabels.Run] = Guid.CreateVersion7().ToString();
            var answer = await _world.Service.CreateAsync(request, await _world.Service.MintTokenAsync(World.Stop));
            orphans.Add(Assert.IsType<TuningAnswer.Created>(answer).Job);
        }

        _world.Vertex.Faults.CloseJob(orphans[1].Name, VertexMethod.CancelTuningJob, StatusCode.PermissionDenied);

        await Assert.ThrowsAsync<AggregateException>(() => _world.SweepAsync());

        foreach (var orphan in new[] { orphans[0], orphans[2] })
        {
            Assert.Equal(JobState.Cancelled, (await _world.Vertex.WaitForEndAsync(orphan.Name, World.Stop)).State);
        }

        Assert.Single(
            _world.DuplicateLog.At(LogLevel.Critical),
            line => line.StartsWith($"Tuning job {orphans[1].Name}", StringComparison.Ordinal)
                && line.Contains("could not be cancelled", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_evaluation_that_can_never_be_ended_goes_to_a_person()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);
        await _world.FinishJobAsync(run);
        await _world.PollOnceAsync(run);
        Assert.Equal(RunState.Evaluating, (await _world.FindAsync(run)).State);
        await PoisonAsync(run, "ml.fine_tuned_models");
        for (var delivery = 0; delivery < 8; delivery++)
        {
            await Record.ExceptionAsync(() => _world.PollOnceAsync(run));
        }

        Assert.Equal(RunState.Evaluating, (await _world.FindAsync(run)).State);
        await _world.Rows.ExecuteAsync(
            "set session_replication_role = replica; update ml.fine_tuned_models set vertex_endpoint = 'e', vertex_model = 'm'",
            World.Stop);
        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(7), World.Stop);
        await Record.ExceptionAsync(() => _world.SweepAsync(TimeSpan.FromDays(9)));

        var cancelling = await _world.FindAsync(run);
        Assert.Equal(RunState.Cancelling, cancelling.State);
        Assert.Contains("could not be ended in", cancelling.Reason, StringComparison.Ordinal);

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(25), World.Stop);
        for (var sweep = 0; sweep < 2; sweep++)
        {
            await Record.ExceptionAsync(() => _world.SweepAsync(TimeSpan.FromDays(9)));
        }

        Assert.Equal(RunState.NeedsOperator, (await _world.FindAsync(run)).State);
    }

    /// <summary>A run whose job never ends by itself.</summary>
    private async Task<RunId> StartJobAsync(Scope scope, bool losesCancel = false)
    {
        _world.Vertex.Faults.EndNextJob(JobState.Running, "");
        if (losesCancel)
        {
            _world.Vertex.Faults.CancelLosesRace(1);
        }

        var run = await _world.AddExportedRunAsync(scope);
        await _world.TrainAsync(run);
        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
        return run;
    }

    private async Task<RunId> UnansweredAsync()
    {
        _world.Vertex.Faults.Script(VertexMethod.CreateTuningJob, new VertexAnswer.AbortBeforeExecuting());
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.TrainAsync(run);
        Assert.Equal(RunState.CreateUnknown, (await _world.FindAsync(run)).State);
        return run;
    }

    private async Task<RunId> DyingAsync()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        await _world.DieAtAsync(Failpoint.IntentRecorded, () => _world.TrainAsync(run));
        return run;
    }

    private async Task CloseAsync(RunId run)
    {
        var name = Assert.Single(await _world.AttemptsAsync(run)).TuningJob!;
        _world.Vertex.Faults.CloseJob(name, VertexMethod.GetTuningJob, StatusCode.PermissionDenied);
        _world.Vertex.Faults.CloseJob(name, VertexMethod.CancelTuningJob, StatusCode.PermissionDenied);
    }

    private Task PoisonAsync(RunId run, string table = "ml.training_runs") => RefuseAsync(table, $"old.id = '{run}'");

    // Looked at again and again, and never settled: its object's deletion is not recorded.
    private Task PoisonAttemptAsync(RunId run) => RefuseAsync(
        "ml.tuning_attempts", $"old.run_id = '{run}' and (new.list_checks > old.list_checks or new.dataset_deleted_at is not null)");

    private Task RefuseAsync(string table, string when) => _world.Rows.ExecuteAsync(
        $"""
        create function testclock.poison() returns trigger language plpgsql as
            'begin raise exception ''poisoned''; end';
        grant execute on function testclock.poison() to public;
        create trigger poison before update on {table}
            for each row when ({when}) execute function testclock.poison();
        """,
        World.Stop);
}
