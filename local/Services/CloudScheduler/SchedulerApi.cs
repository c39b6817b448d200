using Google.Cloud.Scheduler.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Service = Google.Cloud.Scheduler.V1.CloudScheduler;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>The gRPC service <c>google.cloud.scheduler.v1.CloudScheduler</c>.</summary>
internal sealed class SchedulerApi(ScheduledJobs jobs, CloudSchedulerFaults faults) : Service.CloudSchedulerBase
{
    public override Task<ListJobsResponse> ListJobs(ListJobsRequest request, ServerCallContext context) =>
        Answer(SchedulerMethod.ListJobs, () =>
        {
            var (page, next) = jobs.List(request);
            return new ListJobsResponse { Jobs = { page }, NextPageToken = next };
        });

    public override Task<Job> GetJob(GetJobRequest request, ServerCallContext context) =>
        Answer(SchedulerMethod.GetJob, () => jobs.Get(request.Name));

    public override Task<Job> CreateJob(CreateJobRequest request, ServerCallContext context) =>
        Answer(SchedulerMethod.CreateJob, () => jobs.Create(request));

    public override Task<Job> UpdateJob(UpdateJobRequest request, ServerCallContext context) =>
        Answer(SchedulerMethod.UpdateJob, () => jobs.Update(request));

    public override Task<Empty> DeleteJob(DeleteJobRequest request, ServerCallContext context) =>
        Answer(SchedulerMethod.DeleteJob, () =>
        {
            jobs.Delete(request.Name);
            return new Empty();
        });

    public override Task<Job> PauseJob(PauseJobRequest request, ServerCallContext context) =>
        Answer(SchedulerMethod.PauseJob, () => jobs.Pause(request.Name));

    public override Task<Job> ResumeJob(ResumeJobRequest request, ServerCallContext context) =>
        Answer(SchedulerMethod.ResumeJob, () => jobs.Resume(request.Name));

    public override Task<Job> RunJob(RunJobRequest request, ServerCallContext context) =>
        Answer(SchedulerMethod.RunJob, () => jobs.Run(request.Name));

    private Task<T> Answer<T>(SchedulerMethod method, Func<T> execute)
    {
        var refusal = faults.Take(method);
        if (refusal is { IsCarriedOut: false })
        {
            throw SchedulerErrors.Scripted(refusal);
        }

        var answer = execute();
        return refusal is null ? Task.FromResult(answer) : throw SchedulerErrors.Scripted(refusal);
    }
}
