using FeedbackLoop.Local.Hosting;
using Google.Cloud.PubSub.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace FeedbackLoop.Local.PubSub;

/// <summary>The gRPC service <c>google.pubsub.v1.Publisher</c>. What is not here answers UNIMPLEMENTED.</summary>
internal sealed class PublisherApi(Broker broker, PubSubFaults faults) : Publisher.PublisherBase
{
    public override Task<Topic> CreateTopic(Topic request, ServerCallContext context) =>
        Task.FromResult(broker.AddTopic(request));

    public override Task<Topic> GetTopic(GetTopicRequest request, ServerCallContext context) =>
        Task.FromResult(broker.GetTopic(request.Topic));

    public override Task<ListTopicsResponse> ListTopics(ListTopicsRequest request, ServerCallContext context)
    {
        var size = request.PageSize == 0 ? 100 : request.PageSize;
        var (topics, next) = Paging.Page(
            broker.ListTopics(request.Project), topic => topic.Name, request.PageToken, size);
        return Task.FromResult(new ListTopicsResponse { Topics = { topics }, NextPageToken = next });
    }

    public override Task<Empty> DeleteTopic(DeleteTopicRequest request, ServerCallContext context)
    {
        broker.RemoveTopic(request.Topic);
        return Task.FromResult(new Empty());
    }

    public override Task<PublishResponse> Publish(PublishRequest request, ServerCallContext context)
    {
        if (faults.TakeRefusedPublish())
        {
            throw PubSubErrors.Unavailable();
        }

        var response = new PublishResponse { MessageIds = { broker.Publish(request) } };
        if (faults.TakeLostPublishResponse())
        {
            context.GetHttpContext().Abort();
        }

        return Task.FromResult(response);
    }
}
