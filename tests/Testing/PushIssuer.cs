using System.Net.Http.Headers;
using FeedbackLoop.Local.Identity;

namespace FeedbackLoop.Testing;

/// <summary>Google's accounts for a function under test: the settings by which it takes pushes, and tokens that it takes.</summary>
public sealed class PushIssuer : IAsyncDisposable
{
    public const string ServiceAccount = "push@project.iam.gserviceaccount.com";
    public const string Audience = "https://function.example";

    private PushIssuer(IdentityServer server) => Server = server;

    public IdentityServer Server { get; }

    /// <summary>The function's <c>Push</c> section.</summary>
    public IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Push:MetadataAddress"] = Server.MetadataAddress.ToString(),
        ["Push:AllowHttp"] = "true",
        ["Push:Audience"] = Audience,
        ["Push:ServiceAccount"] = ServiceAccount,
    };

    /// <summary>What a push of the function's own subscription carries.</summary>
    public AuthenticationHeaderValue Authorization => new("Bearer", Server.IssuePushToken(ServiceAccount, Audience));

    public static async Task<PushIssuer> StartAsync(CancellationToken cancellationToken) =>
        new(await IdentityServer.StartAsync(new() { Issuer = "https://accounts.google.com" }, cancellationToken));

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
