using Google.Apis.Auth.OAuth2;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using RetryPolicy = Grpc.Net.Client.Configuration.RetryPolicy;

namespace FeedbackLoop.GoogleCloud;

/// <summary>gRPC channels to Google's services, or to what stands in for them.</summary>
public static class GoogleChannel
{
    public const string CloudPlatformScope = "https://www.googleapis.com/auth/cloud-platform";

    /// <summary>
    /// For calls that may be repeated: reads, and publishing, where a message may arrive twice. Never for the creation of a
    /// tuning job.
    /// </summary>
    public static ServiceConfig ShortRetry { get; } = new()
    {
        MethodConfigs =
        {
            new MethodConfig
            {
                Names = { MethodName.Default },
                RetryPolicy = new RetryPolicy
                {
                    MaxAttempts = 4,
                    InitialBackoff = TimeSpan.FromMilliseconds(200),
                    MaxBackoff = TimeSpan.FromSeconds(2),
                    BackoffMultiplier = 2,
                    RetryableStatusCodes = { StatusCode.Unavailable },
                },
            },
        },
    };

    /// <param name="host">Google's host, used with the machine's credentials when there is no address.</param>
    /// <param name="address">Address of a stand-in or emulator, used without credentials.</param>
    public static GrpcChannel Create(string host, Uri? address, ServiceConfig? retry)
    {
        if (address is not null)
        {
            return GrpcChannel.ForAddress(address, new GrpcChannelOptions { ServiceConfig = retry });
        }

        // Found at the first call and not here: a process starts, and answers its health check, without the network.
        var credential = new Lazy<Task<GoogleCredential>>(async () =>
            (await GoogleCredential.GetApplicationDefaultAsync()).CreateScoped(CloudPlatformScope));
        var perCall = CallCredentials.FromInterceptor(async (context, metadata) =>
        {
            ITokenAccess access = await credential.Value;
            var token = await access.GetAccessTokenForRequestAsync(context.ServiceUrl, context.CancellationToken);
            metadata.Add("authorization", $"Bearer {token}");
        });
        return GrpcChannel.ForAddress($"https://{host}", new GrpcChannelOptions
        {
            Credentials = ChannelCredentials.Create(ChannelCredentials.SecureSsl, perCall),
            ServiceConfig = retry,
        });
    }
}
