using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>Objects that are there: metadata, content, copies, removal.</summary>
internal sealed class ObjectApi(ObjectStore store)
{
    public Task GetAsync(HttpContext http, string bucket, string name)
    {
        var stored = store.Get(bucket, name, Precondition.Read(http.Request.Query));
        return StorageBody.WriteAsync(http.Response, stored, StorageJson.Default.StoredObject, http.RequestAborted);
    }

    public async Task DownloadAsync(HttpContext http, string bucket, string name)
    {
        var (stored, content) = store.Open(bucket, name, Precondition.Read(http.Request.Query));
        await using var open = content;

        var headers = http.Response.Headers;
        headers.AcceptRanges = "bytes";
        headers.ETag = $"\"{stored.Etag}\"";
        headers["x-goog-generation"] = stored.Generation.ToString(CultureInfo.InvariantCulture);
        headers["x-goog-metageneration"] = stored.Metageneration.ToString(CultureInfo.InvariantCulture);
        headers["x-goog-stored-content-length"] = stored.Size.ToString(CultureInfo.InvariantCulture);
        headers["x-goog-hash"] = $"crc32c={stored.Crc32c},md5={stored.Md5Hash}";

        if (ByteRange.Resolve(http.Request.Headers.Range, stored.Size) is not var (offset, length))
        {
            headers.ContentRange = $"bytes */{stored.Size}";
            throw new StorageRefusal(416, "requestedRangeNotSatisfiable", "Request range not satisfiable");
        }

        if (length < stored.Size)
        {
            http.Response.StatusCode = StatusCodes.Status206PartialContent;
            headers.ContentRange = $"bytes {offset}-{offset + length - 1}/{stored.Size}";
        }

        http.Response.ContentType = stored.ContentType ?? "application/octet-stream";
        http.Response.ContentLength = length;
        content.Position = offset;
        await StreamCopyOperation.CopyToAsync(content, http.Response.Body, length, http.RequestAborted);
    }

    public Task DeleteAsync(HttpContext http, string bucket, string name)
    {
        store.Delete(bucket, name, Precondition.Read(http.Request.Query));
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary>
    /// <c>copyTo</c> answers with the new object, <c>rewriteTo</c> with a progress that is always "done".
    /// </summary>
    public async Task CopyAsync(HttpContext http, StorageRequest request)
    {
        var query = http.Request.Query;
        var given = await StorageBody.ReadAsync(
            http.Request, StorageJson.Default.ObjectInput, http.RequestAborted);
        var ifGenerationMatch = Precondition.Number(query, "ifGenerationMatch");
        store.CheckWrite(request.ToBucket, request.ToName, ifGenerationMatch);

        var (source, content) = store.Open(request.Bucket, request.Name, Precondition.ReadSource(query));
        await using var open = content;
        using var copy = store.NewContent();
        await copy.AppendAsync(content, long.MaxValue, http.RequestAborted);

        // A body replaces the metadata as a whole; without one, the copy has the source's.
        var input = given is { ContentType: not null } or { Metadata: not null }
            ? given with { Crc32c = null, Md5Hash = null }
            : new ObjectInput
            {
                ContentType = source.ContentType,
                ContentEncoding = source.ContentEncoding,
                CacheControl = source.CacheControl,
                Metadata = source.Metadata,
            };
        var stored = store.Commit(
            request.ToBucket, request.ToName, input, copy, ifGenerationMatch, UploadApi.Host(http));

        if (!request.IsRewrite)
        {
            await StorageBody.WriteAsync(
                http.Response, stored, StorageJson.Default.StoredObject, http.RequestAborted);
            return;
        }

        var response = new RewriteResponse
        {
            TotalBytesRewritten = stored.Size,
            ObjectSize = stored.Size,
            Resource = stored,
        };
        await StorageBody.WriteAsync(
            http.Response, response, StorageJson.Default.RewriteResponse, http.RequestAborted);
    }
}
