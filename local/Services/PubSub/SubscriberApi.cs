using FeedbackLoop.Local.Hosting;
using Google.Cloud.PubSub.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace FeedbackLoop.Local.PubSub;

/// <summary>
/// The gRPC service <c>google.pubsub.v1.Subscriber</c> for push subscriptions. Pull and the rest answer UNIMPLEMENTED.
/// </summary>
internal sealed class SubscriberApi(Broker broker) : Subscriber.SubscriberBase
{
    private static readonly FieldMask.MergeOptions Whole = new()
    {
        ReplaceMessageFields = true,
        ReplacePrimitiveFields = true,
        ReplaceRepeatedFields = true,
    };

    public override Task<Subscription> CreateSubscription(Subscription request, ServerCallContext context) =>
        Task.FromResult(broker.AddSubscription(request));

    public override Task<Subscription> GetSubscription(GetSubscriptionRequest request, ServerCallContext context) =>
        Task.FromResult(broker.GetSubscription(request.Subscription));

    public override Task<Subscription> UpdateSubscription(
        UpdateSubscriptionRequest request, ServerCallContext context)
    {
        var mask = request.UpdateMask;
        if (mask is null or { Paths.Count: 0 } || !FieldMask.IsValid<Subscription>(mask)
            || mask.Paths.Any(path => path is "name" or "topic"))
        {
            throw RpcErrors.InvalidArgument("update_mask", "The update_mask must name fields that can be updated.");
        }

        return Task.FromResult(broker.UpdateSubscription(request.Subscription.Name, subscription =>
        {
            mask.Merge(request.Subscription, subscription, Whole);
            return subscription;
        }));
    }

    public override Task<Empty> ModifyPushConfig(ModifyPushConfigRequest request, ServerCallContext context)
    {
        broker.UpdateSubscription(request.Subscription, subscription =>
        {
            subscription.PushConfig = request.PushConfig;
            return subscription;
        });
        return Task.FromResult(new Empty());
    }

    public override Task<ListSubscriptionsResponse> ListSubscriptions(
        ListSubscriptionsRequest request, ServerCallContext context)
    {
        var size = request.PageSize == 0 ? 100 : request.PageSize;
        var (subscriptions, next) = Paging.Page(
            broker.ListSubscriptions(request.Project), each => each.Name, request.PageToken, size);
        return Task.FromResult(
            new ListSubscriptionsResponse { Subscriptions = { subscriptions }, NextPageToken = next });
    }

    public override async Task<Empty> DeleteSubscription(DeleteSubscriptionRequest request, ServerCallContext context)
    {
        await broker.RemoveSubscriptionAsync(request.Subscription);
        return new Empty();
    }
}
