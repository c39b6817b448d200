using System.Net;
using FeedbackLoop.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>What is in a <see cref="MemoryDatasetStore"/>, over HTTP: Vertex AI reads datasets by itself.</summary>
internal sealed class ObjectServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ObjectServer(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public static async Task<ObjectServer> StartAsync(MemoryDatasetStore store, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.Run(async http =>
        {
            // "/storage/v1/b/BUCKET/o/NAME", where NAME came escaped.
            var name = http.Request.Path.Value!.Split("/o/", 2)[1];
            if (store.Find(Uri.UnescapeDataString(name)) is { } content)
            {
                await http.Response.Body.WriteAsync(content, http.RequestAborted);
            }
            else
            {
                http.Response.StatusCode = StatusCodes.Status404NotFound;
            }
        });
        await app.StartAsync(cancellationToken);
        return new ObjectServer(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
