using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>
/// Resumable uploads. Source: the Cloud Storage guide "Perform resumable uploads", and what Google.Apis 1.78 sends.
/// </summary>
internal sealed class ResumableApi(ObjectStore store, CloudStorageFaults faults, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ResumableUpload> _uploads = new();
    private readonly ConcurrentDictionary<string, int> _gone = new();

    public async Task StartAsync(HttpContext http, string bucket)
    {
        var query = http.Request.Query;
        var input = await StorageBody.ReadAsync(
            http.Request, StorageJson.Default.ObjectInput, http.RequestAborted) ?? new ObjectInput();
        var name = input.Name ?? query["name"].ToString();
        var ifGenerationMatch = Precondition.Number(query, "ifGenerationMatch");
        store.CheckWrite(bucket, name, ifGenerationMatch);

        var contentType = input.ContentType ?? http.Request.Headers["X-Upload-Content-Type"].FirstOrDefault();
        var upload = new ResumableUpload(
            bucket, name, input with { ContentType = contentType }, ifGenerationMatch, store.NewContent());
        var id = Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
        _uploads[id] = upload;

        var session = $"uploadType=resumable&name={Uri.EscapeDataString(name)}&upload_id={id}";
        http.Response.Headers.Location =
            new Uri(UploadApi.Host(http), $"upload/storage/v1/b/{bucket}/o?{session}").AbsoluteUri;
        http.Response.Headers["X-GUploader-UploadID"] = id;
        http.Response.ContentLength = 0;
    }

    public async Task WriteAsync(HttpContext http)
    {
        var upload = Find(http);
        var range = ReadRange(http.Request);

        await upload.Gate.WaitAsync(http.RequestAborted);
        try
        {
            if (upload.Result is null && !await TakeContentAsync(http, upload, range))
            {
                return;
            }

            await AnswerAsync(http, upload, range);
        }
        finally
        {
            upload.Gate.Release();
        }
    }

    public Task CancelAsync(HttpContext http)
    {
        Find(http);
        var id = http.Request.Query["upload_id"].ToString();
        if (_uploads.TryRemove(id, out var upload))
        {
            upload.Content.Dispose();
        }

        // 499 is what the service really answers.
        http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
        return Task.CompletedTask;
    }

    /// <summary>Every upload that is under way is gone, and says so with this status.</summary>
    public void ForgetAll(int status)
    {
        foreach (var id in _uploads.Keys)
        {
            if (_uploads.TryRemove(id, out var upload))
            {
                upload.Content.Dispose();
                _gone[id] = status;
            }
        }
    }

    /// <returns>False when the connection was broken on purpose.</returns>
    private async Task<bool> TakeContentAsync(HttpContext http, ResumableUpload upload, ContentRange range)
    {
        if (range.First is not { } first || range.Last is not { } last)
        {
            return true;
        }

        var committed = upload.Content.Length;
        if (first > committed)
        {
            throw new StorageRefusal(
                503, "backendError",
                $"Invalid request.  According to the Content-Range header, the upload offset is {first} byte(s), "
                + $"which exceeds already uploaded size of {committed} byte(s).");
        }

        // What the client sends a second time is read and thrown away.
        await SkipAsync(http.Request.Body, committed - first, http.RequestAborted);
        var rest = Math.Max(0, last + 1 - committed);
        if (faults.TakeAbortedChunk() is { } until)
        {
            await upload.Content.AppendAsync(
                http.Request.Body, WholeGranules(Math.Min(until, rest)), http.RequestAborted);
            http.Abort();
            return false;
        }

        var kept = faults.TakePartialChunk() is { } part ? WholeGranules(Math.Min(part, rest)) : rest;
        await upload.Content.AppendAsync(http.Request.Body, kept, http.RequestAborted);
        await SkipAsync(http.Request.Body, long.MaxValue, http.RequestAborted);
        return true;
    }

    private async Task AnswerAsync(HttpContext http, ResumableUpload upload, ContentRange range)
    {
        var length = upload.Content.Length;
        if (upload.Result is null && range.Total is { } total && length == total)
        {
            upload.Result = store.Commit(
                upload.Bucket, upload.Name, upload.Input, upload.Content, upload.IfGenerationMatch,
                UploadApi.Host(http));
            upload.Content.Dispose();
            if (faults.TakeLostResponse())
            {
                http.Abort();
                return;
            }
        }

        if (upload.Result is { } stored)
        {
            await StorageBody.WriteAsync(
                http.Response, stored, StorageJson.Default.StoredObject, http.RequestAborted);
            return;
        }

        http.Response.StatusCode = StatusCodes.Status308PermanentRedirect;
        http.Response.ContentLength = 0;
        if (length > 0)
        {
            http.Response.Headers.Range = $"bytes=0-{(length - 1).ToString(CultureInfo.InvariantCulture)}";
        }
    }

    private ResumableUpload Find(HttpContext http)
    {
        var id = http.Request.Query["upload_id"].ToString();
        if (_uploads.TryGetValue(id, out var upload))
        {
            return upload;
        }

        throw _gone.TryGetValue(id, out var status)
            ? new StorageRefusal(status, "notFound", "The upload session is gone.")
            : new StorageRefusal(404, "notFound", "No such upload session.");
    }

    private static ContentRange ReadRange(HttpRequest request)
    {
        if (request.Headers.ContentRange.FirstOrDefault() is not { } header)
        {
            // Without the header, the body is the whole object.
            return request.ContentLength is { } whole
                ? new ContentRange(whole == 0 ? null : 0, whole == 0 ? null : whole - 1, whole)
                : throw StorageRefusal.Invalid("Either Content-Range or Content-Length is needed.");
        }

        var range = ContentRange.Parse(header)
            ?? throw StorageRefusal.Invalid($"Failed to parse Content-Range header: {header}");
        if (range is { Total: null, First: { } first, Last: { } last } && (last + 1 - first) % ContentFile.Granule != 0)
        {
            throw StorageRefusal.Invalid(
                $"Invalid request.  A chunk that is not the last must be a multiple of {ContentFile.Granule} bytes.");
        }

        return range;
    }

    private static long WholeGranules(long bytes) => bytes - (bytes % ContentFile.Granule);

    private static async Task SkipAsync(Stream body, long bytes, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (bytes > 0)
        {
            var read = await body.ReadAsync(
                buffer.AsMemory(0, (int)Math.Min(buffer.Length, bytes)), cancellationToken);
            if (read == 0)
            {
                return;
            }

            bytes -= read;
        }
    }
}
