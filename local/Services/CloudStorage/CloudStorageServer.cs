using FeedbackLoop.Local.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>
/// Cloud Storage's JSON API on loopback, with content and index in a directory. Point <c>STORAGE_EMULATOR_HOST</c> at
/// <see cref="Address"/>, or a client's base URI at <c>{Address}storage/v1/</c>.
/// </summary>
public sealed class CloudStorageServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly StorageApi _api;
    private readonly ObjectStore _store;
    private readonly ResumableApi _resumable;

    private CloudStorageServer(
        WebApplication app, StorageApi api, ObjectStore store, ResumableApi resumable, CloudStorageFaults faults)
    {
        (_app, _api, _store, _resumable, Faults) = (app, api, store, resumable, faults);
        Address = app.Address();
    }

    public Uri Address { get; }

    public CloudStorageFaults Faults { get; }

    /// <summary>Requests received so far, refused ones included.</summary>
    public IReadOnlyDictionary<StorageOperation, int> Requests => _api.Requests;

    public static async Task<CloudStorageServer> StartAsync(
        CloudStorageOptions options, CancellationToken cancellationToken)
    {
        var faults = new CloudStorageFaults();
        var store = new ObjectStore(options);
        var resumable = new ResumableApi(store, faults, options.Time);
        var api = new StorageApi(
            new BucketApi(store, options.Time), new ObjectApi(store), new UploadApi(store, faults), resumable, faults);
        var app = await Loopback.StartAsync(
            options.Port, HttpProtocols.Http1, options.Loggers, _ => { }, map => map.Run(api.HandleAsync),
            cancellationToken);
        return new CloudStorageServer(app, api, store, resumable, faults);
    }

    /// <summary>Changes one byte of an object; checksums and size stay as they were.</summary>
    public void Corrupt(string bucket, string name) => _store.Corrupt(bucket, name);

    /// <summary>Forgets every resumable upload that is under way; the clients get this status (404 or 410).</summary>
    public void ForgetUploads(int status) => _resumable.ForgetAll(status);

    public ValueTask DisposeAsync() => new(_app.StopAndDisposeAsync());
}
