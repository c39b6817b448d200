using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>One request of the JSON API, taken apart.</summary>
/// <param name="Bucket">Empty for <see cref="StorageOperation.CreateBucket"/>.</param>
/// <param name="Name">The object; empty when the request is about none, or names it elsewhere.</param>
/// <param name="IsRewrite">Whether a copy is asked for as <c>rewriteTo</c>, which is answered in another shape.</param>
internal sealed record StorageRequest(
    StorageOperation Operation, string Bucket = "", string Name = "", string ToBucket = "", string ToName = "",
    bool IsRewrite = false)
{
    /// <summary>The routes of the server.</summary>
    /// <returns>Null when there is no such route.</returns>
    public static StorageRequest? Parse(HttpContext http)
    {
        // From the raw target: in the path, ASP.NET Core leaves %2F alone but decodes %252F to the same.
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var path = target.Split('?')[0].Trim('/').Split('/').Select(Uri.UnescapeDataString).ToArray();
        var query = http.Request.Query;
        var isMedia = query["alt"] == "media";

        return (http.Request.Method, path) switch
        {
            ("POST", ["storage", "v1", "b"]) => new(StorageOperation.CreateBucket),
            ("GET", ["storage", "v1", "b", var bucket]) => new(StorageOperation.GetBucket, bucket),
            ("GET", ["storage", "v1", "b", var bucket, "o"]) => new(StorageOperation.ListObjects, bucket),
            ("GET", ["storage", "v1", "b", var bucket, "o", var name]) =>
                new(isMedia ? StorageOperation.DownloadObject : StorageOperation.GetObject, bucket, name),
            ("GET", ["download", "storage", "v1", "b", var bucket, "o", var name]) =>
                new(StorageOperation.DownloadObject, bucket, name),
            ("DELETE", ["storage", "v1", "b", var bucket, "o", var name]) =>
                new(StorageOperation.DeleteObject, bucket, name),
            ("POST", ["storage", "v1", "b", var bucket, "o", var name, ("copyTo" or "rewriteTo") and var verb, "b",
                var toBucket, "o", var toName]) =>
                new(StorageOperation.CopyObject, bucket, name, toBucket, toName, IsRewrite: verb == "rewriteTo"),
            ("POST", ["upload", "storage", "v1", "b", var bucket, "o"]) when query["uploadType"] == "resumable" =>
                new(StorageOperation.StartUpload, bucket),
            ("POST", ["upload", "storage", "v1", "b", var bucket, "o"]) => new(StorageOperation.InsertObject, bucket),
            ("PUT", ["upload", "storage", "v1", "b", var bucket, "o"]) =>
                new(IsQuery(http) ? StorageOperation.QueryUpload : StorageOperation.WriteChunk, bucket),
            ("DELETE", ["upload", "storage", "v1", "b", var bucket, "o"]) =>
                new(StorageOperation.CancelUpload, bucket),
            _ => null,
        };
    }

    // "bytes */0" is the whole of an empty object; "bytes */N" asks, as "bytes */*" does.
    private static bool IsQuery(HttpContext http) =>
        ContentRange.Parse(http.Request.Headers.ContentRange.ToString()) is { First: null } and not { Total: 0 };
}
