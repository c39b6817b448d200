using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;

namespace FeedbackLoop.Tuning.Tests.Rules;

public sealed class TuningAnswerTests
{
    private static readonly StatusCode[] Definite =
    [
        StatusCode.InvalidArgument, StatusCode.FailedPrecondition, StatusCode.OutOfRange, StatusCode.Unauthenticated,
        StatusCode.PermissionDenied, StatusCode.NotFound, StatusCode.AlreadyExists, StatusCode.Aborted,
        StatusCode.ResourceExhausted,
    ];

    public static TheoryData<StatusCode> Codes =>
        [.. Enum.GetValues<StatusCode>().Where(code => code is not StatusCode.OK)];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Only_a_definite_code_with_googles_own_details_is_a_refusal(StatusCode code)
    {
        var answer = TuningAnswer.Of(Failure(code, Details((int)code)));

        if (Definite.Contains(code))
        {
            Assert.Equal(new TuningAnswer.Refused(code, "the service's words"), answer);
        }
        else
        {
            Assert.IsType<TuningAnswer.Unknown>(answer);
        }
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public void Without_details_every_code_is_unknown(StatusCode code) =>
        Assert.IsType<TuningAnswer.Unknown>(TuningAnswer.Of(Failure(code, details: null)));

    [Fact]
    public void Details_that_say_another_code_or_nothing_readable_count_for_nothing()
    {
        Assert.IsType<TuningAnswer.Unknown>(TuningAnswer.Of(
            Failure(StatusCode.NotFound, Details((int)StatusCode.Internal))));
        Assert.IsType<TuningAnswer.Unknown>(TuningAnswer.Of(Failure(StatusCode.NotFound, [0xff, 0xff, 0xff])));
        Assert.IsType<TuningAnswer.Unknown>(TuningAnswer.Of(Failure(StatusCode.NotFound, [])));
    }

    [Theory]
    [InlineData(HttpRequestError.NameResolutionError, true)]
    [InlineData(HttpRequestError.ConnectionError, true)]
    [InlineData(HttpRequestError.SecureConnectionError, true)]
    [InlineData(HttpRequestError.HttpProtocolError, false)]
    [InlineData(HttpRequestError.ResponseEnded, false)]
    [InlineData(HttpRequestError.InvalidResponse, false)]
    [InlineData(HttpRequestError.ProxyTunnelError, false)]
    [InlineData(HttpRequestError.Unknown, false)]
    public void A_failure_before_the_first_byte_is_not_sent(HttpRequestError error, bool isNotSent)
    {
        var cause = new HttpRequestException(error, "x");
        var answer = TuningAnswer.Of(Caused(cause));

        Assert.Equal(isNotSent, answer is TuningAnswer.NotSent);
        Assert.Equal(!isNotSent, answer is TuningAnswer.Unknown);
    }

    [Fact]
    public void A_socket_error_of_the_connection_is_not_sent_and_one_inside_a_request_is_unknown()
    {
        var refused = new SocketException((int)SocketError.ConnectionRefused);
        var inside = new HttpRequestException(HttpRequestError.Unknown, "x", new IOException("x", refused));

        Assert.IsType<TuningAnswer.NotSent>(TuningAnswer.Of(Caused(refused)));
        Assert.IsType<TuningAnswer.Unknown>(TuningAnswer.Of(Caused(inside)));
        Assert.IsType<TuningAnswer.Unknown>(
            TuningAnswer.Of(Caused(new SocketException((int)SocketError.ConnectionReset))));
    }

    private static RpcException Caused(Exception cause) => new(new Status(StatusCode.Unavailable, "x", cause));

    private static byte[] Details(int code) =>
        new Google.Rpc.Status { Code = code, Message = "the service's words" }.ToByteArray();

    private static RpcException Failure(StatusCode code, byte[]? details)
    {
        var trailers = new Metadata();
        if (details is not null)
        {
            trailers.Add("grpc-status-details-bin", details);
        }

        return new RpcException(new Status(code, "x"), trailers);
    }
}
