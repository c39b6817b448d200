using System.Net.Sockets;
using Grpc.Core;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Cloud Scheduler did not do what it was asked for.</summary>
/// <param name="remedy">What to do about it.</param>
public sealed class SchedulerException(string message, string remedy, Exception inner) : Exception(message, inner)
{
    public string Remedy { get; } = remedy;

    internal static SchedulerException Of(RpcException failure, string job, string project, string location)
    {
        var said = failure.Status.Detail.Split('\n')[0].Trim();
        var (problem, remedy) = failure.StatusCode switch
        {
            // The same code for an API that is switched off, and then the words say so.
            StatusCode.PermissionDenied => (
                $"Cloud Scheduler does not let you set up {job}: {said}",
                $"Grant roles/cloudscheduler.admin on project {project} to the account of these credentials, or switch the API "
                + $"on: gcloud services enable cloudscheduler.googleapis.com --project {project}"),
            StatusCode.Unauthenticated => (
                $"Cloud Scheduler does not know who you are: {said}",
                "Run: gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS."),
            StatusCode.NotFound => (
                $"Cloud Scheduler does not find project {project} or its location {location}: {said}",
                $"Check both names. Locations: gcloud scheduler locations list --project {project}"),
            StatusCode.InvalidArgument => (
                $"Cloud Scheduler does not accept {job}: {said}",
                $"Check the project {project} and the location {location}. Locations: gcloud scheduler locations list "
                + $"--project {project}"),
            StatusCode.ResourceExhausted => (
                $"Cloud Scheduler takes no more for now: {said}",
                $"Try again in a minute, or raise the quota of cloudscheduler.googleapis.com in project {project}."),
            StatusCode.Unavailable when failure.GetBaseException() is SocketException socket => (
                $"Cloud Scheduler cannot be reached: {socket.Message}",
                "Check the network of this machine, and GoogleCloud__SchedulerAddress if it is set."),
            _ => (
                $"Cloud Scheduler did not set up {job}: {failure.StatusCode}, {said}",
                "Run the command again; what is set up already stays as it is."),
        };
        return new SchedulerException(problem, remedy, failure);
    }
}
