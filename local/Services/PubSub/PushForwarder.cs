using System.Collections.Concurrent;
using System.Net.Http.Headers;
using FeedbackLoop.Local.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace FeedbackLoop.Local.PubSub;

/// <summary>
/// Stands between Google's Pub/Sub emulator, which ignores <c>oidcToken</c>, and push endpoints that want a token: sends each
/// push on with one, and its answer back.
/// </summary>
public sealed class PushForwarder : IAsyncDisposable
{
    private readonly Func<string, string, string> _signPush;
    private readonly ConcurrentDictionary<string, Target> _targets = new(StringComparer.Ordinal);
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private WebApplication? _app;

    private PushForwarder(Func<string, string, string> signPush) => _signPush = signPush;

    /// <param name="signPush">From account and audience to the token, as in <see cref="PubSubOptions.SignPush"/>.</param>
    public static async Task<PushForwarder> StartAsync(
        Func<string, string, string> signPush, CancellationToken cancellationToken)
    {
        var forwarder = new PushForwarder(signPush);
        forwarder._app = await Loopback.StartAsync(
            0, HttpProtocols.Http1, NullLoggerFactory.Instance, _ => { }, map => map.Run(forwarder.HandleAsync),
            cancellationToken);
        return forwarder;
    }

    /// <returns>The address to subscribe with in place of the endpoint; it has the endpoint's path, which must be its own.</returns>
    public Uri Register(Uri endpoint, string serviceAccount, string audience)
    {
        _targets[endpoint.AbsolutePath] = new(endpoint, serviceAccount, audience);
        return new Uri((_app ?? throw new InvalidOperationException("the forwarder has not started")).Address(), endpoint.PathAndQuery);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.StopAndDisposeAsync();
        }

        _http.Dispose();
    }

    private async Task HandleAsync(HttpContext http)
    {
        if (!_targets.TryGetValue(http.Request.Path, out var target))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, target.Endpoint);
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Bearer", _signPush(target.ServiceAccount, target.Audience));
        request.Content = new StreamContent(http.Request.Body);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
        try
        {
            using var response = await _http.SendAsync(request, http.RequestAborted);
            http.Response.StatusCode = (int)response.StatusCode;
        }
        catch (HttpRequestException)
        {
            http.Response.StatusCode = StatusCodes.Status502BadGateway;
        }
    }

    private sealed record Target(Uri Endpoint, string ServiceAccount, string Audience);
}
