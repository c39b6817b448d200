using Google.Protobuf;
using Grpc.Core;

namespace FeedbackLoop.Local.Hosting;

/// <summary>Reads what Google's services add to an error.</summary>
internal static class RpcDetails
{
    /// <returns>Null when the error has no such trailer: it did not come from the service itself.</returns>
    public static Google.Rpc.Status? Details(this RpcException error) =>
        error.Trailers.GetValueBytes(RpcErrors.DetailsTrailer) is { } bytes
            ? Google.Rpc.Status.Parser.ParseFrom(bytes)
            : null;

    public static T Detail<T>(this RpcException error)
        where T : IMessage, new() =>
        error.Details()!.Details.Single(detail => detail.Is(new T().Descriptor)).Unpack<T>();
}
