using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>Uploads in one request: <c>uploadType=media</c> and <c>uploadType=multipart</c>.</summary>
internal sealed class UploadApi(ObjectStore store, CloudStorageFaults faults)
{
    public Task InsertAsync(HttpContext http, string bucket) =>
        http.Request.Query["uploadType"].ToString() switch
        {
            "media" => InsertMediaAsync(http, bucket),
            "multipart" => InsertMultipartAsync(http, bucket),
            var other => throw StorageRefusal.Invalid($"Invalid uploadType: {other}"),
        };

    public static Uri Host(HttpContext http) => new($"http://{http.Request.Host}/");

    private async Task InsertMediaAsync(HttpContext http, string bucket)
    {
        var input = new ObjectInput { ContentType = http.Request.ContentType };
        await InsertAsync(http, bucket, input, http.Request.Body);
    }

    private async Task InsertMultipartAsync(HttpContext http, string bucket)
    {
        if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type)
            || HeaderUtilities.RemoveQuotes(type.Boundary).ToString() is not { Length: > 0 } boundary)
        {
            throw StorageRefusal.Invalid("A multipart upload needs a boundary.");
        }

        var reader = new MultipartReader(boundary, http.Request.Body);
        var description = await reader.ReadNextSectionAsync(http.RequestAborted)
            ?? throw StorageRefusal.Invalid("The metadata part is missing.");
        using var text = new StreamReader(description.Body);
        var json = Encoding.UTF8.GetBytes(await text.ReadToEndAsync(http.RequestAborted));
        var input = StorageBody.Parse(json, StorageJson.Default.ObjectInput) ?? new ObjectInput();

        var media = await reader.ReadNextSectionAsync(http.RequestAborted)
            ?? throw StorageRefusal.Invalid("The media part is missing.");
        await InsertAsync(
            http, bucket, input with { ContentType = input.ContentType ?? media.ContentType }, media.Body);
    }

    private async Task InsertAsync(HttpContext http, string bucket, ObjectInput input, Stream media)
    {
        var query = http.Request.Query;
        var name = input.Name ?? query["name"].ToString();
        var ifGenerationMatch = Precondition.Number(query, "ifGenerationMatch");
        store.CheckWrite(bucket, name, ifGenerationMatch);

        using var content = store.NewContent();
        await content.AppendAsync(media, long.MaxValue, http.RequestAborted);
        var stored = store.Commit(bucket, name, input, content, ifGenerationMatch, Host(http));
        if (faults.TakeLostResponse())
        {
            http.Abort();
            return;
        }

        await StorageBody.WriteAsync(http.Response, stored, StorageJson.Default.StoredObject, http.RequestAborted);
    }
}
