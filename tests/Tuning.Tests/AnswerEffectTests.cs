using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using FeedbackLoop.Testing;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>What each answer of Vertex AI does to a run, over real gRPC.</summary>
public sealed class AnswerEffectTests(PostgresFixture postgres) : IAsyncLifetime
{
    private World _world = null!; // set before each test

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(postgres);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData(StatusCode.InvalidArgument)]
    [InlineData(StatusCode.FailedPrecondition)]
    [InlineData(StatusCode.OutOfRange)]
    [InlineData(StatusCode.NotFound)]
    public async Task A_refusal_of_the_request_fails_the_run_in_the_services_words(StatusCode code)
    {
        var run = await TrainAsync(new VertexAnswer.Refuse(code, "adapter size is not supported"));

        var failed = await _world.FindAsync(run);
        Assert.Equal(RunState.Failed, failed.State);
        Assert.Contains("adapter size is not supported", failed.Reason, StringComparison.Ordinal);
        Assert.Equal((1, 0), (_world.CallsFor(run), _world.JobsOf(run)));
    }

    [Theory]
    [InlineData(StatusCode.Unauthenticated)]
    [InlineData(StatusCode.PermissionDenied)]
    [InlineData(StatusCode.AlreadyExists)]
    [InlineData(StatusCode.Aborted)]
    [InlineData(StatusCode.ResourceExhausted)]
    public async Task A_refusal_that_time_may_heal_is_tried_again_later_with_the_same_object(StatusCode code)
    {
        var run = await TrainAsync(new VertexAnswer.Refuse(code, "not now"));
        Assert.Equal(RunState.Exported, (await _world.FindAsync(run)).State);
        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));

        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(2), World.Stop);
        Assert.IsType<StepOutcome.Done>(await _world.TrainAsync(run));

        var attempts = await _world.AttemptsAsync(run);
        Assert.Equal([AttemptState.Rejected, AttemptState.Created], attempts.Select(attempt => attempt.State));
        Assert.Single(attempts.Select(attempt => attempt.DatasetUri).Distinct());
        Assert.Equal((2, 1), (_world.CallsFor(run), _world.JobsOf(run)));
    }

    [Fact]
    public async Task Eight_refusals_of_the_account_fail_the_run()
    {
        var run = await TrainAsync(Repeat(new VertexAnswer.Refuse(StatusCode.PermissionDenied, "no permission"), 8));
        for (var attempt = 2; attempt <= 8; attempt++)
        {
            Assert.Equal(RunState.Exported, (await _world.FindAsync(run)).State);
            await _world.Clock.AdvanceAsync(TimeSpan.FromHours(1), World.Stop);
            await _world.TrainAsync(run);
        }

        var failed = await _world.FindAsync(run);
        Assert.Equal(RunState.Failed, failed.State);
        Assert.Contains("8 times", failed.Reason, StringComparison.Ordinal);
        Assert.Equal((8, 0), (_world.CallsFor(run), _world.JobsOf(run)));
    }

    [Fact]
    public async Task Twelve_waits_for_quota_are_no_reason_to_give_up_and_a_day_is()
    {
        var run = await TrainAsync(Repeat(new VertexAnswer.Refuse(StatusCode.ResourceExhausted, "full"), 14));
        for (var attempt = 2; attempt <= 12; attempt++)
        {
            await _world.Clock.AdvanceAsync(TimeSpan.FromHours(1), World.Stop);
            await _world.TrainAsync(run);
            Assert.Equal(RunState.Exported, (await _world.FindAsync(run)).State);
        }

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(13), World.Stop);
        await _world.TrainAsync(run);

        var failed = await _world.FindAsync(run);
        Assert.Equal(RunState.Failed, failed.State);
        Assert.StartsWith("quota", failed.Reason, StringComparison.Ordinal);
        Assert.Equal(0, _world.JobsOf(run));
    }

    [Fact]
    public async Task A_day_of_waiting_ends_in_the_sweep_too()
    {
        var run = await TrainAsync(new VertexAnswer.Refuse(StatusCode.ResourceExhausted, "full"));

        await _world.Clock.AdvanceAsync(TimeSpan.FromHours(25), World.Stop);
        await _world.SweepAsync();

        var failed = await _world.FindAsync(run);
        Assert.Equal(RunState.Failed, failed.State);
        Assert.Contains("took longer than it may: quota", failed.Reason, StringComparison.Ordinal);
    }

    public static TheoryData<VertexAnswer> Unclear =>
    [
        new VertexAnswer.Refuse(StatusCode.Unavailable, "503"),
        new VertexAnswer.Refuse(StatusCode.Internal, "500"),
        new VertexAnswer.Refuse(StatusCode.DeadlineExceeded, "504"),
        new VertexAnswer.Refuse(StatusCode.Unimplemented, "501"),
        new VertexAnswer.BareStatus(StatusCode.InvalidArgument),
        new VertexAnswer.BareStatus(StatusCode.ResourceExhausted),
        new VertexAnswer.BareStatus(StatusCode.PermissionDenied),
        new VertexAnswer.AbortBeforeExecuting(),
    ];

    [Theory]
    [MemberData(nameof(Unclear))]
    public async Task An_answer_that_is_no_clear_no_is_unknown_and_never_repeated(VertexAnswer answer)
    {
        var run = await TrainAsync(answer);

        Assert.Equal(RunState.CreateUnknown, (await _world.FindAsync(run)).State);
        Assert.Equal(AttemptState.Unknown, Assert.Single(await _world.AttemptsAsync(run)).State);
        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));
        await _world.SweepAsync();
        Assert.IsType<StepOutcome.AlreadyDone>(await _world.TrainAsync(run));
        Assert.Equal((1, 0), (_world.CallsFor(run), _world.JobsOf(run)));
    }

    [Fact]
    public async Task A_lost_response_is_made_up_for_by_the_sweep()
    {
        var run = await TrainAsync(new VertexAnswer.ExecuteAndLoseResponse());
        Assert.Equal(RunState.CreateUnknown, (await _world.FindAsync(run)).State);

        await _world.SweepAsync();

        Assert.Equal(RunState.Tuning, (await _world.FindAsync(run)).State);
        Assert.Equal((1, 1), (_world.CallsFor(run), _world.JobsOf(run)));
        Assert.Equal("training", (await _world.FindModelAsync(run))!.Status);
    }

    [Fact]
    public async Task A_request_that_lands_after_the_time_out_is_found_by_a_later_sweep()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var world = await World.StartAsync(postgres, vertexTime: time);
        var late = new VertexAnswer.ExecuteLate(TimeSpan.FromSeconds(3)) { LosesResponse = true };
        var run = await TrainAsync(world, late);
        Assert.Equal(RunState.CreateUnknown, (await world.FindAsync(run)).State);
        await world.SweepAsync();
        Assert.Equal(RunState.CreateUnknown, (await world.FindAsync(run)).State);

        time.Advance(TimeSpan.FromSeconds(3));
        await world.Vertex.WaitForLateCallsAsync(World.Stop).WithPatience();
        await world.Clock.AdvanceAsync(TimeSpan.FromSeconds(15), World.Stop);
        await world.SweepAsync();

        Assert.Equal(RunState.Tuning, (await world.FindAsync(run)).State);
        Assert.Equal((1, 1), (world.CallsFor(run), world.JobsOf(run)));
    }

    [Fact]
    public async Task A_call_that_never_left_the_machine_is_simply_tried_again()
    {
        var run = await _world.AddExportedRunAsync(await _world.AddScopeAsync());
        var real = _world.Service;
        _world.Service = new AnsweringService(real, new TuningAnswer.NotSent("no route to host"));
        await _world.TrainAsync(run);
        Assert.Equal(RunState.Exported, (await _world.FindAsync(run)).State);

        _world.Service = real;
        await _world.Clock.AdvanceAsync(TimeSpan.FromMinutes(1), World.Stop);
        await _world.TrainAsync(run);

        Assert.Equal(1, _world.JobsOf(run));
    }

    private static VertexAnswer[] Repeat(VertexAnswer answer, int times) => [.. Enumerable.Repeat(answer, times)];

    private Task<RunId> TrainAsync(params VertexAnswer[] answers) => TrainAsync(_world, answers);

    private static async Task<RunId> TrainAsync(World world, params VertexAnswer[] answers)
    {
        world.Vertex.Faults.Script(VertexMethod.CreateTuningJob, answers);
        var run = await world.AddExportedRunAsync(await world.AddScopeAsync());
        await world.TrainAsync(run);
        return run;
    }
}
