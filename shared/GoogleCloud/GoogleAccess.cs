using Google.Apis.Auth.OAuth2;
using Grpc.Core;

namespace FeedbackLoop.GoogleCloud;

/// <summary>The machine's own Google credentials; found on first use, so that a process with stand-ins needs none.</summary>
public sealed class GoogleAccess
{
    public const string Scope = "https://www.googleapis.com/auth/cloud-platform";

    private readonly Lazy<Task<ITokenAccess>> _credential = new(async () =>
        (await GoogleCredential.GetApplicationDefaultAsync()).CreateScoped(Scope));

    public async Task<string> GetTokenAsync(CancellationToken cancellationToken)
    {
        var credential = await _credential.Value;
        return await credential.GetAccessTokenForRequestAsync(cancellationToken: cancellationToken);
    }

    /// <summary>TLS, and a token with every call.</summary>
    public ChannelCredentials ForChannel() => ChannelCredentials.Create(
        ChannelCredentials.SecureSsl,
        CallCredentials.FromInterceptor(async (context, metadata) =>
        {
            var token = await GetTokenAsync(context.CancellationToken);
            metadata.Add("authorization", $"Bearer {token}");
        }));
}
