using FeedbackLoop.Local.Hosting;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

public sealed class VertexAiFaultTests : VertexAiTestBase
{
    [Fact]
    public async Task A_refusal_carries_details_and_creates_nothing()
    {
        await PutDatasetAsync();
        Server.Faults.Script(
            VertexMethod.CreateTuningJob, new VertexAnswer.Refuse(StatusCode.ResourceExhausted, "Quota exceeded."));

        var error = await RefusalOfAsync(() => CreateAsync());

        Assert.Equal(StatusCode.ResourceExhausted, error.StatusCode);
        Assert.Equal((int)StatusCode.ResourceExhausted, error.Details()!.Code);
        Assert.Equal((1, 0), (Server.CreateCalls("run", "r1"), Server.JobsWith("run", "r1")));
    }

    [Fact]
    public async Task A_bare_status_has_no_details_and_creates_nothing()
    {
        await PutDatasetAsync();
        Server.Faults.Script(VertexMethod.CreateTuningJob, new VertexAnswer.BareStatus(StatusCode.Unavailable));

        var error = await RefusalOfAsync(() => CreateAsync());

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
        Assert.Null(error.Details());
        Assert.Empty(Server.Jobs);
    }

    [Fact]
    public async Task A_lost_response_leaves_the_job()
    {
        await PutDatasetAsync();
        Server.Faults.Script(VertexMethod.CreateTuningJob, new VertexAnswer.ExecuteAndLoseResponse());

        var error = await RefusalOfAsync(() => CreateAsync());

        Assert.Null(error.Details());
        Assert.Equal((1, 1), (Server.CreateCalls("run", "r1"), Server.JobsWith("run", "r1")));
    }

    [Fact]
    public async Task An_aborted_call_leaves_nothing()
    {
        await PutDatasetAsync();
        Server.Faults.Script(VertexMethod.CreateTuningJob, new VertexAnswer.AbortBeforeExecuting());

        var error = await RefusalOfAsync(() => CreateAsync());

        Assert.Null(error.Details());
        Assert.Equal((1, 0), (Server.CreateCalls("run", "r1"), Server.JobsWith("run", "r1")));
    }

    [Fact]
    public async Task A_delayed_call_is_answered_all_the_same()
    {
        await PutDatasetAsync();
        Server.Faults.Script(VertexMethod.CreateTuningJob, new VertexAnswer.Delay(TimeSpan.FromMilliseconds(20)));

        Assert.Equal(JobState.Pending, (await CreateAsync()).State);
    }

    [Fact]
    public async Task Each_call_takes_the_next_scripted_answer_until_there_is_none()
    {
        Server.Faults.Script(
            VertexMethod.ListTuningJobs,
            new VertexAnswer.BareStatus(StatusCode.Internal),
            new VertexAnswer.Refuse(StatusCode.PermissionDenied, "No."));

        Assert.Equal(StatusCode.Internal, (await RefusalOfAsync(ListAsync)).StatusCode);
        Assert.Equal(StatusCode.PermissionDenied, (await RefusalOfAsync(ListAsync)).StatusCode);
        Assert.Empty(await ListAsync());
        Assert.Equal(3, Server.Calls[VertexMethod.ListTuningJobs]);
    }

    [Theory]
    [InlineData(VertexMethod.GetTuningJob), InlineData(VertexMethod.CancelTuningJob)]
    [InlineData(VertexMethod.GenerateContent)]
    public async Task Every_method_can_be_scripted(VertexMethod method)
    {
        Server.Faults.Script(method, new VertexAnswer.Refuse(StatusCode.Unavailable, "Later."));

        var error = await RefusalOfAsync<object>(async () => method switch
        {
            VertexMethod.GetTuningJob => await GetAsync($"{Parent}/tuningJobs/1"),
            VertexMethod.CancelTuningJob => await Tuning.CancelTuningJobAsync(
                new CancelTuningJobRequest { Name = $"{Parent}/tuningJobs/1" }, cancellationToken: Cancel),
            _ => await AskAsync("publishers/google/models/gemini-3.5-flash", "x"),
        });

        Assert.Equal(StatusCode.Unavailable, error.StatusCode);
    }

    [Theory]
    [InlineData(JobState.Failed, 13), InlineData(JobState.Cancelled, 1)]
    public async Task A_job_can_be_told_how_to_end_badly(JobState state, int code)
    {
        await PutDatasetAsync();
        Server.Faults.EndNextJob(state, "Out of luck.");

        var job = await TuneAsync();

        Assert.Equal((state, code, "Out of luck."), (job.State, job.Error.Code, job.Error.Message));
        Assert.Null(job.TunedModel);
    }

    [Fact]
    public async Task An_expired_job_has_neither_error_nor_model()
    {
        await PutDatasetAsync();
        Server.Faults.EndNextJob(JobState.Expired, "");

        var job = await TuneAsync();

        Assert.Equal(JobState.Expired, job.State);
        Assert.Null(job.Error);
        Assert.Null(job.TunedModel);
    }

    [Fact]
    public async Task A_partly_successful_job_has_a_model()
    {
        await PutDatasetAsync();
        Server.Faults.EndNextJob(JobState.PartiallySucceeded, "");

        var job = await TuneAsync();

        Assert.Equal(JobState.PartiallySucceeded, job.State);
        Assert.NotEmpty(job.TunedModel.Endpoint);
    }

    [Fact]
    public async Task A_cancellation_that_loses_the_race_stops_nothing()
    {
        await PutDatasetAsync();
        Server.Faults.CancelLosesRace(times: 1);
        var job = await CreateAsync();

        try
        {
            await Tuning.CancelTuningJobAsync(
                new CancelTuningJobRequest { Name = job.Name }, cancellationToken: Cancel);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.FailedPrecondition)
        {
            // The job was even faster.
        }

        Assert.Equal(JobState.Succeeded, (await EndAsync(job.Name)).State);
    }

    [Fact]
    public async Task A_text_can_be_put_into_the_models_mouth()
    {
        Server.Faults.GenerateNext("no json", Candidate.Types.FinishReason.Safety);

        var answer = await AskAsync("publishers/google/models/gemini-3.5-flash", "x");

        Assert.Equal("no json", answer.Candidates[0].Content.Parts[0].Text);
        Assert.Equal(Candidate.Types.FinishReason.Safety, answer.Candidates[0].FinishReason);
    }
}
