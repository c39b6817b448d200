using FeedbackLoop.Local.Hosting;
using Google.Cloud.Scheduler.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>Refusals in the words of the real service, as far as users have quoted them.</summary>
internal static class SchedulerErrors
{
    private const string Domain = "cloudscheduler.googleapis.com";

    public static RpcException NoJob(string name) => RpcErrors.NotFound(Domain, "Job not found.", name);

    public static RpcException NoLocation(string location) => RpcErrors.NotFound(
        Domain, $"Location '{location}' is not a valid location. Use ListLocations to list valid locations.", location);

    public static RpcException AlreadyExists(string name) =>
        RpcErrors.AlreadyExists(Domain, $"Job [{name}] already exists.", name);

    public static RpcException WrongState(Job job, string verb, Job.Types.State wanted) => RpcErrors.Create(
        StatusCode.FailedPrecondition, $"Job is {job.State}; only a job that is {wanted} can be {verb}.",
        RpcErrors.Reason(Domain, "FAILED_PRECONDITION", ("state", job.State.ToString())));

    public static RpcException Scripted(SchedulerRefusal refusal) =>
        RpcErrors.Create(refusal.Code, refusal.Message, RpcErrors.Reason(Domain, "SCRIPTED"));

    /// <summary>For what the stand-in would otherwise do wrong without a word.</summary>
    public static RpcException NotHere(string feature) =>
        RpcErrors.Create(StatusCode.Unimplemented, $"The local Cloud Scheduler has no {feature}.");
}
