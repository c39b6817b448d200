using FeedbackLoop.Tuning;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;
using Microsoft.Extensions.Options;
using TuningJob = FeedbackLoop.Tuning.TuningJob;

namespace FeedbackLoop.GoogleCloud;

/// <summary>Tuning jobs of Vertex AI, over the raw gRPC stubs.</summary>
public sealed class VertexTuningService(
    IOptions<GoogleCloudOptions> options, VertexChannels channels, IamCredentialsClient iam, TimeProvider time)
    : ITuningService
{
    private const int PageSize = 100;
    /// <summary>A test has no minute to wait.</summary>
    internal TimeSpan CreateTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A test on a busy machine has more.</summary>
    internal TimeSpan ReadTimeout { get; init; } = TimeSpan.FromSeconds(20);

    public TuningTarget Target { get; } = new(
        $"projects/{options.Value.ProjectId}/locations/{options.Value.Location}", options.Value.Environment);

    public Task<CreationToken> MintTokenAsync(CancellationToken cancellationToken) => iam.MintAsync(cancellationToken);

    public async Task<TuningAnswer> CreateAsync(CreateTuningJobRequest request, CreationToken token)
    {
        var client = new GenAiTuningService.GenAiTuningServiceClient(
            channels.ForCreation(VertexAddress.LocationOf(request.Parent)));
        var headers = Headers("parent", request.Parent);
        headers.Add("authorization", $"Bearer {token.Value}");
        try
        {
            // Not cancellable: giving up half-way would leave a question that takes two hours to settle.
            var job = await client.CreateTuningJobAsync(
                request, headers, In(CreateTimeout), CancellationToken.None);
            return job.Name.Contains("/tuningJobs/", StringComparison.Ordinal)
                ? new TuningAnswer.Created(VertexTuningJobs.Read(job))
                : new TuningAnswer.Unknown("OK", $"the answer names no tuning job but '{job.Name}'");
        }
        catch (RpcException e)
        {
            return TuningAnswer.Of(e);
        }
    }

    public async Task<TuningJob?> GetAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var job = await Client(name).GetTuningJobAsync(
                new GetTuningJobRequest { Name = name }, Headers("name", name), In(ReadTimeout), cancellationToken);
            return VertexTuningJobs.Read(job);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            return null;
        }
    }

    public async Task<TuningJobPage> ListPageAsync(
        string parent, string pageToken, CancellationToken cancellationToken)
    {
        try
        {
            var page = await Client(parent).ListTuningJobsAsync(
                new ListTuningJobsRequest { Parent = parent, PageSize = PageSize, PageToken = pageToken },
                Headers("parent", parent), In(ReadTimeout), cancellationToken);
            return new TuningJobPage([.. page.TuningJobs.Select(VertexTuningJobs.Read)], page.NextPageToken);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.InvalidArgument && pageToken.Length > 0)
        {
            // The first page was answered with the same parent and size: it can only be the token. AIP-158.
            throw new PageTokenRefusedException($"page token refused: {e.Status.Detail}", e);
        }
    }

    public async Task<bool> CancelAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await Client(name).CancelTuningJobAsync(
                new CancelTuningJobRequest { Name = name }, Headers("name", name), In(ReadTimeout), cancellationToken);
            return true;
        }
        catch (RpcException e) when (e.StatusCode is StatusCode.NotFound or StatusCode.FailedPrecondition)
        {
            return false;
        }
    }

    private GenAiTuningService.GenAiTuningServiceClient Client(string name) =>
        new(channels.ForReading(VertexAddress.LocationOf(name)));

    // Google's front end routes by this header; the generated stub does not send it by itself.
    private static Metadata Headers(string field, string value) =>
        new() { { "x-goog-request-params", $"{field}={Uri.EscapeDataString(value)}" } };

    private DateTime In(TimeSpan timeout) => time.GetUtcNow().UtcDateTime + timeout;
}
