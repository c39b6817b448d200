using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Channels to Vertex AI, one per location and use.</summary>
public sealed class VertexChannels(IOptions<GoogleCloudOptions> options, GoogleAccess access) : IDisposable
{
    private const int LargestAnswer = 64 * 1024 * 1024;
    private readonly ConcurrentDictionary<(string Location, bool ForCreation), Lazy<GrpcChannel>> _channels = new();

    /// <summary>
    /// For the call that creates a tuning job: nothing below it repeats anything, and the caller brings its own token. A
    /// channel of its own, so that no setting made for reads can ever reach it.
    /// </summary>
    public CallInvoker ForCreation(string location) => Get(location, forCreation: true);

    /// <summary>For calls that may be repeated: a short retry, and this machine's credentials.</summary>
    public CallInvoker ForReading(string location) => Get(location, forCreation: false);

    public void Dispose()
    {
        foreach (var channel in _channels.Values.Where(each => each.IsValueCreated))
        {
            channel.Value.Dispose();
        }
    }

    private CallInvoker Get(string location, bool forCreation) =>
        _channels.GetOrAdd(
            (location, forCreation),
            key => new Lazy<GrpcChannel>(() => Open(key.Location, key.ForCreation))).Value.CreateCallInvoker();

    private GrpcChannel Open(string location, bool forCreation)
    {
        var channel = new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                EnableMultipleHttp2Connections = true,
                ConnectTimeout = TimeSpan.FromSeconds(10),
                KeepAlivePingDelay = TimeSpan.FromSeconds(30),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = LargestAnswer,
            ServiceConfig = forCreation ? null : GoogleChannel.ShortRetry,
        };
        if (options.Value.VertexAddress is { } address)
        {
            return GrpcChannel.ForAddress(address, channel);
        }

        channel.Credentials = forCreation ? ChannelCredentials.SecureSsl : access.ForChannel();
        return GrpcChannel.ForAddress(VertexAddress.Of(location), channel);
    }
}
