using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Google.Cloud.PubSub.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Publishes to the topics of the installation's project.</summary>
public sealed class PubSubPublisher(Publisher.PublisherClient client, IOptions<GoogleCloudOptions> options)
    : IMessagePublisher
{
    public async Task PublishAsync(string topic, string payload, CancellationToken cancellationToken)
    {
        var name = $"projects/{options.Value.ProjectId}/topics/{topic}";
        var request = new PublishRequest
        {
            Topic = name,
            Messages =
            {
                new PubsubMessage
                {
                    Data = ByteString.CopyFromUtf8(payload),
                    Attributes = { [Topics.Attribute] = topic },
                },
            },
        };

        if (PipelineTraces.Current is { } trace)
        {
            request.Messages[0].Attributes[PipelineTraces.MessageAttribute] = trace;
        }

        // The routing header is what Google's own client layer adds.
        var headers = new Metadata { { "x-goog-request-params", "topic=" + Uri.EscapeDataString(name) } };
        await client.PublishAsync(request, headers, cancellationToken: cancellationToken);
    }
}
