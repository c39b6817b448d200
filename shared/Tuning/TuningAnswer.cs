using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;

namespace FeedbackLoop.Tuning;

/// <summary>What became of the one call that creates a tuning job.</summary>
public abstract record TuningAnswer
{
    private const string DetailsTrailer = "grpc-status-details-bin";

    private TuningAnswer()
    {
    }

    public sealed record Created(TuningJob Job) : TuningAnswer;

    /// <summary>No byte of the request left this machine: no name, no connection, no TLS.</summary>
    public sealed record NotSent(string Detail) : TuningAnswer;

    /// <summary>The service itself said no.</summary>
    public sealed record Refused(StatusCode Code, string Detail) : TuningAnswer;

    /// <summary>There may be a job, now or later: it is looked for, and never simply made again.</summary>
    public sealed record Unknown(string Code, string Detail) : TuningAnswer;

    /// <summary>
    /// What a failed call means. A refusal counts only with the details that Google's own servers attach
    /// (google.rpc.Status, saying the same code): a proxy, a load balancer or this client's library can make up a bare code.
    /// </summary>
    public static TuningAnswer Of(RpcException failure)
    {
        var code = failure.StatusCode;
        if (IsBeforeFirstByte(failure.Status.DebugException))
        {
            return new NotSent(failure.Status.Detail);
        }

        return IsDefinite(code) && ReadDetails(failure) is { } details && details.Code == (int)code
            ? new Refused(code, details.Message)
            : new Unknown(code.ToString(), failure.Status.Detail);
    }

    /// <summary>
    /// The codes of HTTP 400, 401, 403, 404, 409, 412 and 429. ABORTED is one of them: google.rpc.Code maps it to 409, as it
    /// does ALREADY_EXISTS, and says of it that the operation did not happen. UNIMPLEMENTED maps to 501 and CANCELLED to 499,
    /// which are not.
    /// </summary>
    public static bool IsDefinite(StatusCode code) => code
        is StatusCode.InvalidArgument or StatusCode.FailedPrecondition or StatusCode.OutOfRange
        or StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.NotFound or StatusCode.AlreadyExists
        or StatusCode.Aborted or StatusCode.ResourceExhausted;

    // The gRPC client connects first and calls then: a bare socket error is of that first part. One that breaks a call comes
    // wrapped in the error of its request.
    private static bool IsBeforeFirstByte(Exception? exception) => exception switch
    {
        SocketException socket => socket.SocketErrorCode
            is SocketError.ConnectionRefused or SocketError.HostUnreachable or SocketError.NetworkUnreachable
            or SocketError.NetworkDown or SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain
            or SocketError.NoRecovery,
        HttpRequestException http => http.HttpRequestError
            is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
            or HttpRequestError.SecureConnectionError,
        _ => false,
    };

    private static Google.Rpc.Status? ReadDetails(RpcException failure)
    {
        try
        {
            return failure.Trailers.GetValueBytes(DetailsTrailer) is { Length: > 0 } bytes
                ? Google.Rpc.Status.Parser.ParseFrom(bytes)
                : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
