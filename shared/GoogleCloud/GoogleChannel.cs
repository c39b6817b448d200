using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using StatusCode = Grpc.Core.StatusCode;

namespace FeedbackLoop.GoogleCloud;

/// <summary>gRPC channels for calls that may be repeated: reads, and publishing, where a message may arrive twice.</summary>
public static class GoogleChannel
{
    /// <summary>A short retry. Never for the creation of a tuning job.</summary>
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
                    RetryableStatusCodes = { StatusCode.Unavailable, StatusCode.ResourceExhausted },
                },
            },
        },
    };

    /// <param name="google">Google's own address, used with the machine's credentials when there is no other.</param>
    /// <param name="standIn">Address of a stand-in or emulator, used without credentials.</param>
    public static GrpcChannel Create(Uri google, Uri? standIn, GoogleAccess access) =>
        Create(google, standIn, access, ShortRetry);

    /// <summary>For a client that repeats its calls itself.</summary>
    /// <inheritdoc cref="Create(Uri, Uri?, GoogleAccess)" path="/param"/>
    public static GrpcChannel CreateWithoutRetry(Uri google, Uri? standIn, GoogleAccess access) =>
        Create(google, standIn, access, retry: null);

    private static GrpcChannel Create(Uri google, Uri? standIn, GoogleAccess access, ServiceConfig? retry)
    {
        var options = new GrpcChannelOptions { ServiceConfig = retry };
        if (standIn is not null)
        {
            return GrpcChannel.ForAddress(standIn, options);
        }

        options.Credentials = access.ForChannel();
        return GrpcChannel.ForAddress(google, options);
    }
}
