using System.Globalization;
using Google.Cloud.PubSub.V1;

namespace FeedbackLoop.Local.PubSub;

/// <summary>A message that was given up, as it stands in the dead-letter topic.</summary>
/// <param name="Subscription">Full name of the subscription that could not deliver it.</param>
/// <param name="DeadLetterTopic">Full name of the topic that received it.</param>
/// <param name="Message">
/// With the attributes that Pub/Sub adds; its id and time are those of the second publication.
/// </param>
public sealed record DeadLetter(string Subscription, string DeadLetterTopic, PubsubMessage Message)
{
    internal static PubsubMessage Readdress(PubsubMessage message, string subscription, int attempts)
    {
        var parts = subscription.Split('/');
        var publishTime = message.PublishTime.ToDateTimeOffset()
            .ToString("yyyy-MM-dd'T'HH:mm:ss.fffzzz", CultureInfo.InvariantCulture);

        var copy = new PubsubMessage { Data = message.Data, OrderingKey = message.OrderingKey };
        copy.Attributes.Add(message.Attributes);
        copy.Attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = attempts.ToString(CultureInfo.InvariantCulture);
        copy.Attributes["CloudPubSubDeadLetterSourceSubscription"] = parts[3];
        copy.Attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = parts[1];
        copy.Attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = publishTime;
        return copy;
    }
}
