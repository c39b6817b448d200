using System.Text;
using FeedbackLoop.Local.CloudStorage;
using FeedbackLoop.Testing;
using Google.Cloud.AIPlatform.V1;
using Google.Protobuf.Collections;
using Grpc.Core;
using Grpc.Net.Client;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>Vertex AI and Cloud Storage on a fresh directory, and real clients, for each test.</summary>
public abstract class VertexAiTestBase : IAsyncLifetime
{
    protected const string Parent = "projects/demo/locations/us-central1";
    protected const string Dataset = "gs://datasets/run-1/train.jsonl";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("vertex-");
    private readonly HttpClient _http = new();
    private GrpcChannel _channel = null!; // these are set before any test runs

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected CloudStorageServer Storage { get; private set; } = null!;

    protected VertexAiServer Server { get; private set; } = null!;

    protected GenAiTuningService.GenAiTuningServiceClient Tuning => new(_channel);

    protected PredictionService.PredictionServiceClient Prediction => new(_channel);

    protected HttpClient Http => _http;

    public async ValueTask InitializeAsync()
    {
        Storage = await CloudStorageServer.StartAsync(
            new CloudStorageOptions { DataDirectory = Path.Combine(_directory.FullName, "storage") }, Cancel);
        using var bucket = new StringContent("""{"name":"datasets"}""", Encoding.UTF8, "application/json");
        using var made = await _http.PostAsync(new Uri(Storage.Address, "storage/v1/b?project=demo"), bucket, Cancel);
        made.EnsureSuccessStatusCode();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        _http.Dispose();
        await Server.DisposeAsync();
        await Storage.DisposeAsync();
        _directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    protected virtual VertexAiOptions Options(Uri storage, string directory) => new()
    {
        StorageAddress = storage,
        DataDirectory = directory,
        PendingDuration = TimeSpan.Zero,
        RunningDuration = TimeSpan.Zero,
    };

    protected async Task RestartAsync()
    {
        _channel.Dispose();
        await Server.DisposeAsync();
        await StartAsync();
    }

    protected Task PutDatasetAsync(int examples = 30, int seed = 1) =>
        PutAsync("run-1/train.jsonl", StaffNotes.File(examples, seed));

    protected async Task PutAsync(string name, byte[] content)
    {
        using var body = new ByteArrayContent(content);
        var uri = new Uri(
            Storage.Address, $"upload/storage/v1/b/datasets/o?uploadType=media&name={Uri.EscapeDataString(name)}");
        using var response = await _http.PostAsync(uri, body, Cancel);
        response.EnsureSuccessStatusCode();
    }

    protected static CreateTuningJobRequest Request(Action<TuningJob>? change = null)
    {
        var job = new TuningJob
        {
            BaseModel = "gemini-3.1-flash-lite",
            SupervisedTuningSpec = new SupervisedTuningSpec { TrainingDatasetUri = Dataset },
            TunedModelDisplayName = "staff",
            Labels = { ["run"] = "r1", ["attempt"] = "1" },
        };
        change?.Invoke(job);
        return new CreateTuningJobRequest { Parent = Parent, TuningJob = job };
    }

    protected async Task<TuningJob> CreateAsync(Action<TuningJob>? change = null) =>
        await Tuning.CreateTuningJobAsync(Request(change), cancellationToken: Cancel);

    /// <summary>Creates a job and waits until its state is final.</summary>
    protected async Task<TuningJob> TuneAsync(Action<TuningJob>? change = null) =>
        await EndAsync((await CreateAsync(change)).Name);

    protected Task<TuningJob> EndAsync(string name) =>
        Server.WaitForEndAsync(name, Cancel).WithPatience();

    protected async Task<TuningJob> GetAsync(string name) =>
        await Tuning.GetTuningJobAsync(new GetTuningJobRequest { Name = name }, cancellationToken: Cancel);

    protected async Task<RepeatedField<TuningJob>> ListAsync() =>
        (await Tuning.ListTuningJobsAsync(new ListTuningJobsRequest { Parent = Parent }, cancellationToken: Cancel))
        .TuningJobs;

    protected async Task<GenerateContentResponse> AskAsync(string model, string text) =>
        await Prediction.GenerateContentAsync(
            new GenerateContentRequest
            {
                Model = model,
                SystemInstruction = new Content { Parts = { new Part { Text = StaffNotes.System } } },
                Contents = { new Content { Role = "user", Parts = { new Part { Text = StaffNotes.User(text) } } } },
            },
            cancellationToken: Cancel);

    protected static async Task<RpcException> RefusalOfAsync<T>(Func<Task<T>> call) =>
        await Assert.ThrowsAsync<RpcException>(call);

    private async Task StartAsync()
    {
        Server = await VertexAiServer.StartAsync(
            Options(Storage.Address, Path.Combine(_directory.FullName, "vertex")), Cancel);
        _channel = GrpcChannel.ForAddress(Server.Address);
    }
}
