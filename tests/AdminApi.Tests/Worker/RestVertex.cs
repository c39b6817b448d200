using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FeedbackLoop.AdminApi.Tests.Worker;

/// <summary>GenerateContent over HTTP, by a Vertex AI that has lost some of its endpoints.</summary>
internal sealed class RestVertex : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, string Body)> _requests = new();

    private RestVertex(WebApplication app) => _app = app;

    /// <summary>Parts of paths that get 404.</summary>
    public ConcurrentBag<string> Gone { get; } = [];

    public IReadOnlyList<(string Path, string Body)> Requests => [.. _requests];

    public Uri Address => new(
        _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public static async Task<RestVertex> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var vertex = new RestVertex(builder.Build());
        vertex._app.Run(vertex.AnswerAsync);
        await vertex._app.StartAsync(TestContext.Current.CancellationToken);
        return vertex;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var path = context.Request.Path.Value ?? "";
        _requests.Enqueue((path, await reader.ReadToEndAsync(context.RequestAborted)));
        if (Gone.Any(part => path.Contains(part, StringComparison.Ordinal)))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync("""{"candidates": [{"finishReason": "STOP"}]}""", context.RequestAborted);
    }
}
