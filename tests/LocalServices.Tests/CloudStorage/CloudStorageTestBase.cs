using System.Net;
using Google;
using Google.Apis.Http;
using Google.Apis.Services;
using Google.Apis.Storage.v1;
using Google.Apis.Upload;
using StorageObject = Google.Apis.Storage.v1.Data.Object;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>One server on a fresh directory, and Google's own client, for each test.</summary>
public abstract class CloudStorageTestBase : IAsyncLifetime
{
    protected const string Bucket = "datasets";
    protected const int Chunk = 262144;

    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("storage-");

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected CloudStorageServer Server { get; private set; } = null!; // these two are set before any test runs

    protected StorageService Client { get; private set; } = null!;

    protected HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    protected string Directory => _directory.FullName;

    public async ValueTask InitializeAsync()
    {
        await StartAsync();
        await Client.Buckets.Insert(new() { Name = Bucket }, "demo").ExecuteAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Http.Dispose();
        await Server.DisposeAsync();
        _directory.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    protected async Task RestartAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        await StartAsync();
    }

    protected static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    /// <param name="content">Its stream cannot seek, as that of an export.</param>
    protected async Task<(IUploadProgress Progress, StorageObject? Stored)> UploadAsync(
        string name, byte[] content, long? ifGenerationMatch = null, StorageObject? body = null,
        Action<ObjectsResource.InsertMediaUpload>? change = null)
    {
        using var source = new OneWayStream(content);
        var upload = Client.Objects.Insert(
            body ?? new StorageObject { Name = name }, Bucket, source, "application/jsonl");
        upload.ChunkSize = Chunk;
        upload.IfGenerationMatch = ifGenerationMatch;
        change?.Invoke(upload);
        var progress = await upload.UploadAsync(Cancel);
        return (progress, upload.ResponseBody);
    }

    /// <param name="chunks">Size of a chunk, in units of 256 KiB.</param>
    protected async Task<StorageObject> PutAsync(string name, byte[] content, int chunks = 1)
    {
        var (progress, stored) = await UploadAsync(name, content, change: upload => upload.ChunkSize = chunks * Chunk);
        Assert.Equal(UploadStatus.Completed, progress.Status);
        return stored!;
    }

    protected async Task<byte[]> DownloadAsync(string name)
    {
        using var target = new MemoryStream();
        var progress = await Client.Objects.Get(Bucket, name).DownloadAsync(target, Cancel);
        Assert.Null(progress.Exception);
        return target.ToArray();
    }

    protected static async Task<HttpStatusCode> StatusOfAsync(Func<Task> call) =>
        (await Assert.ThrowsAsync<GoogleApiException>(call)).HttpStatusCode;

    /// <summary>Opens an upload without Google's client, for what that client never does.</summary>
    protected async Task<Uri> StartUploadAsync(string name, string query = "")
    {
        using var response = await Http.PostAsync(
            new Uri(Server.Address, $"upload/storage/v1/b/{Bucket}/o?uploadType=resumable&name={name}{query}"),
            null, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response.Headers.Location!;
    }

    protected async Task<HttpResponseMessage> PutRangeAsync(Uri session, byte[] content, string range)
    {
        using var body = new ByteArrayContent(content);
        body.Headers.TryAddWithoutValidation("Content-Range", range);
        return await Http.PutAsync(session, body, Cancel);
    }

    private async Task StartAsync()
    {
        Server = await CloudStorageServer.StartAsync(
            new CloudStorageOptions { DataDirectory = _directory.FullName }, Cancel);
        Client = new StorageService(new BaseClientService.Initializer
        {
            BaseUri = new Uri(Server.Address, "storage/v1/").AbsoluteUri,
            ApplicationName = "tests",
            DefaultExponentialBackOffPolicy = ExponentialBackOffPolicy.None,
        });
    }

    private sealed class OneWayStream(byte[] content) : MemoryStream(content, writable: false)
    {
        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();
    }
}
