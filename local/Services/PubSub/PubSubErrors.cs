using FeedbackLoop.Local.Hosting;
using Grpc.Core;

namespace FeedbackLoop.Local.PubSub;

/// <summary>Refusals in the words of the real service.</summary>
internal static class PubSubErrors
{
    private const string Domain = "pubsub.googleapis.com";

    public static RpcException NotFound(string name) =>
        RpcErrors.NotFound(Domain, $"Resource not found (resource={Id(name)}).", name);

    public static RpcException AlreadyExists(string name) =>
        RpcErrors.AlreadyExists(Domain, $"Resource already exists in the project (resource={Id(name)}).", name);

    public static RpcException Unavailable() =>
        RpcErrors.Create(
            StatusCode.Unavailable, "The service was unable to fulfill your request. Please try again.",
            RpcErrors.Reason(Domain, "SERVICE_UNAVAILABLE"));

    /// <summary>For what the stand-in would otherwise ignore without a word.</summary>
    public static RpcException NotHere(string feature) =>
        RpcErrors.Create(StatusCode.Unimplemented, $"The local Pub/Sub has no {feature}.");

    private static string Id(string name) => name[(name.LastIndexOf('/') + 1)..];
}
