using System.Text;
using System.Text.RegularExpressions;
using FeedbackLoop.Local.Hosting;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>Buckets, and the list of what is in one.</summary>
internal sealed partial class BucketApi(ObjectStore store, TimeProvider time)
{
    public async Task CreateAsync(HttpContext http)
    {
        var input = await StorageBody.ReadAsync(
            http.Request, StorageJson.Default.BucketInput, http.RequestAborted);
        if (input?.Name is not { } name || !NamePattern().IsMatch(name))
        {
            throw StorageRefusal.Invalid($"Invalid bucket name: '{input?.Name}'");
        }

        var bucket = new StoredBucket { Id = name, Name = name, TimeCreated = time.GetUtcNow() };
        bucket = store.AddBucket(bucket with
        {
            Location = input.Location ?? bucket.Location,
            StorageClass = input.StorageClass ?? bucket.StorageClass,
        });
        await WriteAsync(http, bucket);
    }

    public Task GetAsync(HttpContext http, string bucket) => WriteAsync(http, store.GetBucket(bucket));

    // With versions or without: of a name there is never more than the live one.
    public Task ListAsync(HttpContext http, string bucket)
    {
        var query = http.Request.Query;
        var prefix = query["prefix"].ToString();
        var size = (int)Math.Clamp(Precondition.Number(query, "maxResults") ?? 1000, 1, 1000);

        var entries = Fold(store.List(bucket, prefix), prefix, query["delimiter"].ToString());
        var (page, next) = Paging.Page(entries, entry => entry.Key, Decode(query["pageToken"].ToString()), size);
        var list = new ObjectList
        {
            Items = NullIfEmpty(page.Select(entry => entry.Stored).OfType<StoredObject>()),
            Prefixes = NullIfEmpty(page.Where(entry => entry.Stored is null).Select(entry => entry.Key)),
            NextPageToken = next.Length == 0 ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(next)),
        };
        return StorageBody.WriteAsync(http.Response, list, StorageJson.Default.ObjectList, http.RequestAborted);
    }

    /// <summary>Names with the delimiter behind the prefix become one entry without an object, as a folder.</summary>
    private static IEnumerable<(string Key, StoredObject? Stored)> Fold(
        IReadOnlyList<StoredObject> objects, string prefix, string delimiter)
    {
        var folder = "";
        foreach (var stored in objects)
        {
            var end = delimiter.Length == 0
                ? -1
                : stored.Name.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
            if (end < 0)
            {
                yield return (stored.Name, stored);
            }
            else if (stored.Name[..(end + delimiter.Length)] is var next && next != folder)
            {
                folder = next;
                yield return (folder, null);
            }
        }
    }

    private static List<T>? NullIfEmpty<T>(IEnumerable<T> items) => items.ToList() is { Count: > 0 } list ? list : null;

    private static string Decode(string token)
    {
        var bytes = new byte[token.Length];
        return Convert.TryFromBase64String(token, bytes, out var length)
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw StorageRefusal.Invalid("Invalid value for: pageToken");
    }

    private static Task WriteAsync(HttpContext http, StoredBucket bucket) =>
        StorageBody.WriteAsync(http.Response, bucket, StorageJson.Default.StoredBucket, http.RequestAborted);

    [GeneratedRegex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")]
    private static partial Regex NamePattern();
}
