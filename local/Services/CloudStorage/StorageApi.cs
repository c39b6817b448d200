using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>The JSON API: finds out what a request wants, lets the faults have their way, and carries it out.</summary>
internal sealed class StorageApi(
    BucketApi buckets, ObjectApi objects, UploadApi uploads, ResumableApi resumable, CloudStorageFaults faults)
{
    private readonly ConcurrentDictionary<StorageOperation, int> _requests = new();

    public IReadOnlyDictionary<StorageOperation, int> Requests => _requests;

    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            var request = StorageRequest.Parse(http) ?? throw new StorageRefusal(404, "notFound", "Not Found");
            _requests.AddOrUpdate(request.Operation, 1, (_, count) => count + 1);
            Precondition.RefuseUnknown(http.Request.Query);
            if (faults.IsDenied(request.Bucket) || faults.IsDenied(request.ToBucket))
            {
                throw StorageRefusal.Denied(request.Operation, request.Bucket);
            }

            if (faults.TakeAnswer(request.Operation) is { } status)
            {
                throw StorageRefusal.Scripted(status);
            }

            await RunAsync(http, request);
        }
        catch (StorageRefusal refusal)
        {
            await refusal.WriteAsync(http.Response, http.RequestAborted);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client hung up in the middle of a body: there is nobody to answer.
        }
    }

    private Task RunAsync(HttpContext http, StorageRequest request) => request.Operation switch
    {
        StorageOperation.CreateBucket => buckets.CreateAsync(http),
        StorageOperation.GetBucket => buckets.GetAsync(http, request.Bucket),
        StorageOperation.ListObjects => buckets.ListAsync(http, request.Bucket),
        StorageOperation.GetObject => objects.GetAsync(http, request.Bucket, request.Name),
        StorageOperation.DownloadObject => objects.DownloadAsync(http, request.Bucket, request.Name),
        StorageOperation.DeleteObject => objects.DeleteAsync(http, request.Bucket, request.Name),
        StorageOperation.CopyObject => objects.CopyAsync(http, request),
        StorageOperation.InsertObject => uploads.InsertAsync(http, request.Bucket),
        StorageOperation.StartUpload => resumable.StartAsync(http, request.Bucket),
        StorageOperation.WriteChunk or StorageOperation.QueryUpload => resumable.WriteAsync(http),
        StorageOperation.CancelUpload => resumable.CancelAsync(http),
        _ => throw new InvalidOperationException($"{request.Operation} has no handler."),
    };
}
