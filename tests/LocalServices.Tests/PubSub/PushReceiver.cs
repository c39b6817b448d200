using System.Collections.Concurrent;
using System.Text.Json;
using FeedbackLoop.Local.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace FeedbackLoop.Local.PubSub;

/// <summary>A push endpoint that records what comes and answers as the test says.</summary>
public sealed class PushReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<Push> _received = new();
    private WebApplication _app = null!; // set by StartAsync, the only way to get one
    private int _inFlight;

    /// <summary>The answer to a push; the number counts from 1.</summary>
    public Func<Push, int, CancellationToken, Task<int>> Answer { get; set; } = (_, _, _) => Task.FromResult(204);

    public IReadOnlyList<Push> Received => [.. _received];

    public int MostAtOnce { get; private set; }

    public string Endpoint => new Uri(_app.Address(), "push?token=abc").AbsoluteUri;

    public static async Task<PushReceiver> StartAsync(CancellationToken cancellationToken)
    {
        var receiver = new PushReceiver();
        receiver._app = await Loopback.StartAsync(
            0, HttpProtocols.Http1, NullLoggerFactory.Instance, _ => { }, app => app.Run(receiver.HandleAsync),
            cancellationToken);
        return receiver;
    }

    public async ValueTask DisposeAsync() => await _app.StopAndDisposeAsync();

    private async Task HandleAsync(HttpContext http)
    {
        var now = Interlocked.Increment(ref _inFlight);
        MostAtOnce = Math.Max(MostAtOnce, now);
        try
        {
            using var body = await JsonDocument.ParseAsync(http.Request.Body, default, http.RequestAborted);
            var push = new Push(
                body.RootElement.Clone(), http.Request.ContentType, http.Request.QueryString.Value,
                http.Request.Headers.UserAgent, http.Request.Headers.Authorization);
            _received.Enqueue(push);
            http.Response.StatusCode = await Answer(push, _received.Count, http.RequestAborted);
        }
        catch (OperationCanceledException)
        {
            // The sender lost patience.
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    public sealed record Push(JsonElement Body, string? ContentType, string? Query, string? UserAgent, string? Authorization)
    {
        public JsonElement Message => Body.GetProperty("message");

        public string Id => Message.GetProperty("messageId").GetString()!;

        public string Text => System.Text.Encoding.UTF8.GetString(Message.GetProperty("data").GetBytesFromBase64());
    }
}
