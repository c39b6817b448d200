using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>What a client sent.</summary>
internal sealed record SentCall(string Path, IReadOnlyDictionary<string, string> Headers, byte[] Message);

/// <summary>A gRPC server that answers UNAVAILABLE to everything and remembers each request, as bytes on the wire.</summary>
internal sealed class RefusingServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<SentCall> _calls;

    private RefusingServer(WebApplication app, ConcurrentQueue<SentCall> calls) => (_app, _calls) = (app, calls);

    public Uri Address => new(_app.Urls.Single());

    public IReadOnlyList<SentCall> Calls => [.. _calls];

    public static async Task<RefusingServer> StartAsync(CancellationToken cancellationToken)
    {
        var calls = new ConcurrentQueue<SentCall>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listener => listener.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        app.Run(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            calls.Enqueue(new SentCall(
                http.Request.Path,
                http.Request.Headers.ToDictionary(
                    header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
                body.ToArray()[5..]));
            http.Response.ContentType = "application/grpc";
            http.Response.Headers["grpc-status"] = "14";
            http.Response.Headers["grpc-message"] = "away";
        });
        await app.StartAsync(cancellationToken);
        return new RefusingServer(app, calls);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
