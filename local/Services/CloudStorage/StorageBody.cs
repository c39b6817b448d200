using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>JSON in and out of the API.</summary>
internal static class StorageBody
{
    /// <returns>Null when the request has no body.</returns>
    public static async Task<T?> ReadAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        // Google.Apis compresses its JSON unless told otherwise.
        await using var body = request.Headers.ContentEncoding == "gzip"
            ? new GZipStream(request.Body, CompressionMode.Decompress)
            : request.Body;
        using var whole = new MemoryStream();
        await body.CopyToAsync(whole, cancellationToken);
        return whole.Length == 0 ? null : Parse(whole.GetBuffer().AsSpan(0, (int)whole.Length), type);
    }

    public static T? Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException e)
        {
            throw new StorageRefusal(400, "parseError", $"Parse Error: {e.Message}");
        }
    }

    public static Task WriteAsync<T>(
        HttpResponse response, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        response.ContentType = "application/json; charset=UTF-8";
        return JsonSerializer.SerializeAsync(response.Body, value, type, cancellationToken);
    }
}
