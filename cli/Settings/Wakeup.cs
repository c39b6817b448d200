using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Google.Cloud.PubSub.V1;
using Microsoft.Extensions.Options;
using Npgsql;

namespace FeedbackLoop.Cli.Settings;

/// <summary>What became of the message that a command left in the outbox.</summary>
/// <param name="WhyNot">For people; null when it is sent.</param>
internal sealed record Wakeup(bool IsSent, string? WhyNot)
{
    private const string ProjectKey = "GoogleCloud:ProjectId";

    /// <summary>
    /// Relays the outbox, as a step does after its commit. What does not go out now goes out with the sweep, so a failure
    /// here is told and does not fail the command: its work is committed.
    /// </summary>
    public static async Task<Wakeup> SendAsync(
        NpgsqlDataSource database, OperatorSettings settings, CancellationToken cancellationToken)
    {
        if (settings.Find(ProjectKey) is not { } project)
        {
            return new(false, $"{ProjectKey} is not set");
        }

        var address = settings.FindAddress("GoogleCloud:PubSubAddress", "PUBSUB_EMULATOR_HOST");
        using var channel = GoogleChannel.Create(new Uri("https://pubsub.googleapis.com"), address, new GoogleAccess());
        var publisher = new PubSubPublisher(
            new Publisher.PublisherClient(channel),
            new OptionsWrapper<GoogleCloudOptions>(new GoogleCloudOptions { ProjectId = project }));
        try
        {
            await new OutboxRelay(database, publisher, new Failpoints(), TimeProvider.System)
                .SendPendingAsync(limit: 10, cancellationToken);
            return new(true, null);
        }
        catch (Exception e) when (e is AggregateException or NpgsqlException)
        {
            var cause = (e as AggregateException)?.InnerExceptions[0] ?? e;
            return new(false, $"Pub/Sub did not take the message: {cause.Message.Split('\n')[0].Trim()}");
        }
    }

    public string Sentence() => IsSent
        ? "The message is sent; the chain starts now."
        : $"{WhyNot}. The sweep sends the message within five minutes.";
}
