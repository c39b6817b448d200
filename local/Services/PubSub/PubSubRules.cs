using System.Text.RegularExpressions;
using FeedbackLoop.Local.Hosting;
using Google.Cloud.PubSub.V1;
using Google.Protobuf.WellKnownTypes;

namespace FeedbackLoop.Local.PubSub;

/// <summary>
/// What Pub/Sub accepts. Source: comments of <c>google/pubsub/v1/pubsub.proto</c> and the quota page.
/// </summary>
internal static partial class PubSubRules
{
    /// <summary>Largest publish request, in bytes.</summary>
    public const int MaxRequestSize = 10_000_000;

    public const int MaxMessagesPerRequest = 1000;

    public static void CheckTopic(Topic topic) => CheckName("name", "topics", topic.Name);

    public static void CheckPublish(PublishRequest request)
    {
        if (request.Messages.Count is 0 or > MaxMessagesPerRequest)
        {
            throw RpcErrors.InvalidArgument(
                "messages", $"The value for message_count is {request.Messages.Count}; it must be between 1 and 1000.");
        }

        if (request.Messages.Any(message => message.Data.Length == 0 && message.Attributes.Count == 0))
        {
            throw RpcErrors.InvalidArgument("messages", "Some messages in the publish request are empty.");
        }

        if (request.CalculateSize() > MaxRequestSize)
        {
            throw RpcErrors.InvalidArgument("messages", "The value for request_size is too large; at most 10000000.");
        }
    }

    /// <summary>Checks a subscription and returns it with the service's defaults filled in.</summary>
    public static Subscription Complete(Subscription subscription)
    {
        CheckName("name", "subscriptions", subscription.Name);
        RefuseWhatIsMissingHere(subscription);

        var result = subscription.Clone();
        result.State = Subscription.Types.State.Active;
        result.AckDeadlineSeconds = result.AckDeadlineSeconds == 0 ? 10 : result.AckDeadlineSeconds;
        result.MessageRetentionDuration ??= Duration.FromTimeSpan(TimeSpan.FromDays(7));
        if (result.AckDeadlineSeconds is < 10 or > 600)
        {
            throw RpcErrors.InvalidArgument(
                "ack_deadline_seconds", $"Invalid ack deadline {result.AckDeadlineSeconds}: must be from 10 to 600.");
        }

        CheckPush(result.PushConfig);
        CheckIdentity(result.PushConfig?.OidcToken);
        CheckRetry(result.RetryPolicy);
        if (result.DeadLetterPolicy is { } deadLetters)
        {
            CheckName("dead_letter_policy.dead_letter_topic", "topics", deadLetters.DeadLetterTopic);
            deadLetters.MaxDeliveryAttempts =
                deadLetters.MaxDeliveryAttempts == 0 ? 5 : deadLetters.MaxDeliveryAttempts;
            if (deadLetters.MaxDeliveryAttempts is < 5 or > 100)
            {
                throw RpcErrors.InvalidArgument(
                    "dead_letter_policy.max_delivery_attempts", "The number of attempts must be from 5 to 100.");
            }
        }

        return result;
    }

    public static void CheckName(string field, string collection, string name)
    {
        var parts = name.Split('/');
        var isName = parts.Length == 4 && parts[0] == "projects" && parts[1].Length > 0 && parts[2] == collection
            && IdPattern().IsMatch(parts[3]) && !parts[3].StartsWith("goog", StringComparison.Ordinal);
        if (!isName)
        {
            throw RpcErrors.InvalidArgument(
                field, $"Invalid [{collection}] name: (name={name}); expected projects/PROJECT/{collection}/ID.");
        }
    }

    private static void CheckPush(PushConfig? push)
    {
        var isUsable = push is null or { PushEndpoint: "" }
            || (Uri.TryCreate(push.PushEndpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https");
        if (!isUsable)
        {
            throw RpcErrors.InvalidArgument(
                "push_config.push_endpoint", $"Invalid push endpoint given (endpoint={push?.PushEndpoint}).");
        }
    }

    private static void CheckIdentity(PushConfig.Types.OidcToken? identity)
    {
        if (identity is not null && !identity.ServiceAccountEmail.Contains('@', StringComparison.Ordinal))
        {
            throw RpcErrors.InvalidArgument(
                "push_config.oidc_token.service_account_email",
                $"Invalid service account email (email={identity.ServiceAccountEmail}).");
        }
    }

    private static void CheckRetry(RetryPolicy? retry)
    {
        var minimum = retry?.MinimumBackoff?.ToTimeSpan() ?? TimeSpan.FromSeconds(10);
        var maximum = retry?.MaximumBackoff?.ToTimeSpan() ?? TimeSpan.FromSeconds(600);
        if (minimum < TimeSpan.Zero || maximum > TimeSpan.FromSeconds(600) || minimum > maximum)
        {
            throw RpcErrors.InvalidArgument(
                "retry_policy", "Back-off must be from 0 to 600 seconds, the minimum not above the maximum.");
        }
    }

    private static void RefuseWhatIsMissingHere(Subscription subscription)
    {
        var missing = subscription switch
        {
            { Filter.Length: > 0 } => "filters",
            { EnableMessageOrdering: true } => "ordered delivery",
            { EnableExactlyOnceDelivery: true } => "exactly-once delivery",
            { BigqueryConfig: not null } or { CloudStorageConfig: not null } => "export subscriptions",
            { PushConfig.NoWrapper: not null } => "unwrapped push",
            _ => null,
        };
        if (missing is not null)
        {
            throw PubSubErrors.NotHere(missing);
        }
    }

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$")]
    private static partial Regex IdPattern();
}
