using Google.Cloud.AIPlatform.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>The gRPC service <c>GenAiTuningService</c>. RebaseTunedModel answers UNIMPLEMENTED.</summary>
internal sealed class TuningApi(
    TuningJobs jobs, VertexGate gate, AccessTokens tokens, VertexAiFaults faults, VertexAiOptions options)
    : GenAiTuningService.GenAiTuningServiceBase
{
    public override Task<TuningJob> CreateTuningJob(CreateTuningJobRequest request, ServerCallContext context)
    {
        gate.Remember(request);
        var authorization = context.RequestHeaders.GetValue("authorization");
        return gate.PassAsync(VertexMethod.CreateTuningJob, context, () =>
        {
            // Here and not before: a request that was under way for too long must find its token expired.
            if (options.RequireShortLivedToken)
            {
                tokens.Check(authorization);
            }

            return jobs.CreateAsync(request, CancellationToken.None);
        });
    }

    public override Task<TuningJob> GetTuningJob(GetTuningJobRequest request, ServerCallContext context) =>
        gate.PassAsync(VertexMethod.GetTuningJob, context, () => Task.FromResult(jobs.Get(request.Name)));

    public override Task<ListTuningJobsResponse> ListTuningJobs(
        ListTuningJobsRequest request, ServerCallContext context) =>
        gate.PassAsync(VertexMethod.ListTuningJobs, context, async () =>
        {
            await Task.Delay(faults.PageLatency, options.Time, context.CancellationToken);
            var (page, next) = jobs.List(request);
            return new ListTuningJobsResponse { TuningJobs = { page }, NextPageToken = next };
        });

    public override Task<Empty> CancelTuningJob(CancelTuningJobRequest request, ServerCallContext context) =>
        gate.PassAsync(VertexMethod.CancelTuningJob, context, () =>
        {
            jobs.Cancel(request.Name);
            return Task.FromResult(new Empty());
        });
}
