using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace FeedbackLoop.Local.Hosting;

/// <summary>
/// Errors as Google's services send them: a status, and in the trailer <c>grpc-status-details-bin</c> a
/// <see cref="Google.Rpc.Status"/> that says more. A refusal without that trailer came from something in between.
/// </summary>
internal static class RpcErrors
{
    public const string DetailsTrailer = "grpc-status-details-bin";

    public static RpcException Create(StatusCode code, string message, params IMessage[] details)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = message };
        status.Details.AddRange(details.Select(detail => Any.Pack(detail)));
        var trailers = new Metadata { { DetailsTrailer, status.ToByteArray() } };
        return new RpcException(new Grpc.Core.Status(code, message), trailers, message);
    }

    public static RpcException NotFound(string domain, string message, string resource) =>
        Create(StatusCode.NotFound, message, Reason(domain, "RESOURCE_NOT_FOUND", ("resource", resource)));

    public static RpcException AlreadyExists(string domain, string message, string resource) =>
        Create(StatusCode.AlreadyExists, message, Reason(domain, "RESOURCE_ALREADY_EXISTS", ("resource", resource)));

    /// <param name="field">Path of the wrong field in the request, as <c>tuning_job.labels</c>.</param>
    public static RpcException InvalidArgument(string field, string message) =>
        Create(StatusCode.InvalidArgument, message, new BadRequest
        {
            FieldViolations = { new BadRequest.Types.FieldViolation { Field = field, Description = message } },
        });

    public static ErrorInfo Reason(string domain, string reason, params (string Key, string Value)[] metadata)
    {
        var info = new ErrorInfo { Domain = domain, Reason = reason };
        foreach (var (key, value) in metadata)
        {
            info.Metadata[key] = value;
        }

        return info;
    }
}
