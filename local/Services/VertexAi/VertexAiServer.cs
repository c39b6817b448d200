using FeedbackLoop.Local.Hosting;
using Google.Cloud.AIPlatform.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>
/// Vertex AI on loopback: tuning jobs and GenerateContent over gRPC (HTTP/2 without TLS), and the IAM method that mints
/// short-lived tokens over HTTP/1.1. A tuned model really has learnt from its dataset.
/// </summary>
public sealed class VertexAiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly WebApplication _iam;
    private readonly TuningJobs _jobs;
    private readonly ModelRegistry _models;
    private readonly VertexGate _gate;
    private readonly AccessTokenApi _tokens;

    private VertexAiServer(
        WebApplication app, WebApplication iam, TuningJobs jobs, ModelRegistry models, VertexGate gate,
        AccessTokenApi tokens, VertexAiFaults faults)
    {
        (_app, _iam, _jobs, _models, _gate, _tokens, Faults) = (app, iam, jobs, models, gate, tokens, faults);
        Address = app.Address();
        IamAddress = iam.Address();
    }

    /// <summary>The gRPC services.</summary>
    public Uri Address { get; }

    /// <summary>The IAM Credentials API.</summary>
    public Uri IamAddress { get; }

    public VertexAiFaults Faults { get; }

    /// <summary>Every job there is, oldest first, as it stands now.</summary>
    public IReadOnlyList<TuningJob> Jobs => _jobs.All;

    /// <summary>Calls received so far, refused ones included.</summary>
    public IReadOnlyDictionary<VertexMethod, int> Calls => _gate.Calls;

    /// <summary>Every CreateTuningJob received, whatever became of it.</summary>
    public IReadOnlyList<CreateTuningJobRequest> CreateRequests => _gate.Creates;

    /// <summary>The GenerateContent that was answered last; null when there was none.</summary>
    public ModelAnswer? LatestAnswer => _gate.LatestAnswer;

    public int TokensMinted => _tokens.Minted;

    public static async Task<VertexAiServer> StartAsync(VertexAiOptions options, CancellationToken cancellationToken)
    {
        var faults = new VertexAiFaults();
        var gate = new VertexGate(faults, options.Time);
        var tokens = new AccessTokens(options.Time);
        var directory = new VertexDirectory(options.DataDirectory);
        var models = new ModelRegistry(directory);
        var jobs = new TuningJobs(options, faults, directory, models);
        var iamApi = new AccessTokenApi(tokens, faults);

        var app = await Loopback.StartAsync(
            options.Port,
            HttpProtocols.Http2,
            options.Loggers,
            services =>
            {
                services.AddGrpc(grpc => (grpc.MaxReceiveMessageSize, grpc.MaxSendMessageSize) = (null, null));
                services.AddSingleton(new TuningApi(jobs, gate, tokens, faults, options));
                services.AddSingleton(new PredictionApi(models, gate, faults, options));
            },
            map =>
            {
                map.MapGrpcService<TuningApi>();
                map.MapGrpcService<PredictionApi>();
            },
            cancellationToken);
        var iam = await Loopback.StartAsync(
            options.IamPort, HttpProtocols.Http1, options.Loggers, _ => { }, map => map.Run(iamApi.HandleAsync),
            cancellationToken);
        return new VertexAiServer(app, iam, jobs, models, gate, iamApi, faults);
    }

    /// <summary>Calls of CreateTuningJob that carried this label.</summary>
    public int CreateCalls(string label, string value) =>
        CreateRequests.Count(request => request.TuningJob?.Labels.GetValueOrDefault(label) == value);

    /// <summary>Jobs that carry this label.</summary>
    public int JobsWith(string label, string value) =>
        Jobs.Count(job => job.Labels.GetValueOrDefault(label) == value);

    /// <summary>Jobs that have ended, as an installation of some years has them.</summary>
    /// <param name="parent"><c>projects/P/locations/L</c>.</param>
    /// <param name="newest">
    /// When the last of them was created; the others before it, each <paramref name="apart"/>.
    /// </param>
    /// <param name="label">Gives the number of a job, from 0 for the oldest, its labels.</param>
    public void AddEndedJobs(
        string parent, int count, DateTimeOffset newest, TimeSpan apart,
        Action<int, IDictionary<string, string>> label) =>
        _jobs.AddEnded(parent, count, newest, apart, label);

    /// <summary>The job when its state is final.</summary>
    public Task<TuningJob> WaitForEndAsync(string name, CancellationToken cancellationToken) =>
        _jobs.WaitForEndAsync(name, cancellationToken);

    /// <summary>Returns when every call that a fault made late has been carried out.</summary>
    public Task WaitForLateCallsAsync(CancellationToken cancellationToken) =>
        _gate.WaitForLateCallsAsync(cancellationToken);

    /// <summary>The endpoint answers NOT_FOUND from now on; its job still names it.</summary>
    public void RemoveEndpoint(string name) => _models.RemoveEndpoint(name);

    public async ValueTask DisposeAsync()
    {
        await _jobs.DisposeAsync();
        await _app.StopAndDisposeAsync();
        await _iam.StopAndDisposeAsync();
    }
}
