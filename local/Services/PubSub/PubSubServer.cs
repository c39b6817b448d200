using FeedbackLoop.Local.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.Local.PubSub;

/// <summary>
/// Pub/Sub on loopback: gRPC as the emulator speaks it (HTTP/2 without TLS), push delivery as the real service does it.
/// Point <c>PUBSUB_EMULATOR_HOST</c> at <see cref="Address"/>.
/// </summary>
public sealed class PubSubServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Broker _broker;
    private readonly PubSubTally _tally;

    private PubSubServer(WebApplication app, Broker broker, PubSubTally tally, PubSubFaults faults)
    {
        (_app, _broker, _tally, Faults) = (app, broker, tally, faults);
        Address = app.Address();
    }

    public Uri Address { get; }

    public PubSubFaults Faults { get; }

    public PubSubCounters Counters => _tally.Read();

    /// <summary>Deliveries that a receiver is at work on, or is about to be given.</summary>
    public int InFlight => _broker.InFlight;

    /// <summary>Every message given up so far, oldest first.</summary>
    public IReadOnlyList<DeadLetter> DeadLetters => _broker.DeadLetters;

    public static async Task<PubSubServer> StartAsync(PubSubOptions options, CancellationToken cancellationToken)
    {
        var faults = new PubSubFaults();
        var tally = new PubSubTally();
        var broker = new Broker(options, faults, tally);
        var app = await Loopback.StartAsync(
            options.Port,
            HttpProtocols.Http2,
            options.Loggers,
            services =>
            {
                // The service refuses what is too large itself, in its own words.
                services.AddGrpc(grpc => grpc.MaxReceiveMessageSize = 2 * PubSubRules.MaxRequestSize);
                services.AddSingleton(new PublisherApi(broker, faults));
                services.AddSingleton(new SubscriberApi(broker));
            },
            map =>
            {
                map.MapGrpcService<PublisherApi>();
                map.MapGrpcService<SubscriberApi>();
            },
            cancellationToken);
        return new PubSubServer(app, broker, tally, faults);
    }

    /// <summary>
    /// Returns when no push subscription has a message that is waiting or being delivered, late copies included.
    /// </summary>
    public Task WaitUntilIdleAsync(CancellationToken cancellationToken) =>
        _broker.WaitUntilIdleAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _app.StopAndDisposeAsync();
    }
}
