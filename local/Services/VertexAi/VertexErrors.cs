using FeedbackLoop.Local.Hosting;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>Refusals in the words of the real service, as far as users have quoted them.</summary>
internal static class VertexErrors
{
    private const string Domain = "aiplatform.googleapis.com";
    private const string Quota = Domain + "/global_concurrent_tuning_jobs";

    public static RpcException NotFound(string message, string resource) =>
        RpcErrors.NotFound(Domain, message, resource);

    public static RpcException NoJob(string name) => NotFound($"The TuningJob {name} does not exist.", name);

    public static RpcException NotCancellable(TuningJob job) =>
        RpcErrors.Create(
            StatusCode.FailedPrecondition, $"The TuningJob {job.Name} has ended and cannot be cancelled.",
            RpcErrors.Reason(Domain, "FAILED_PRECONDITION", ("state", job.State.ToString())));

    public static RpcException QuotaExceeded() =>
        RpcErrors.Create(
            StatusCode.ResourceExhausted,
            $"The following quotas are exceeded: {Quota}",
            RpcErrors.Reason(Domain, "RATE_LIMIT_EXCEEDED", ("quota_metric", Quota)));

    /// <param name="reason"><c>CREDENTIALS_MISSING</c> or <c>ACCESS_TOKEN_EXPIRED</c>.</param>
    public static RpcException Unauthenticated(string reason) =>
        RpcErrors.Create(
            StatusCode.Unauthenticated,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            + "valid authentication credential.",
            RpcErrors.Reason("googleapis.com", reason, ("service", Domain)));

    public static RpcException Scripted(StatusCode code, string message) =>
        RpcErrors.Create(code, message, RpcErrors.Reason(Domain, "SCRIPTED"));

    public static RpcException NotHere(string feature) =>
        RpcErrors.Create(StatusCode.Unimplemented, $"The local Vertex AI has no {feature}.");
}
