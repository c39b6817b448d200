using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>A request that is answered with an error, in the JSON shape of the real service.</summary>
internal sealed class StorageRefusal(int status, string reason, string message) : Exception(message)
{
    public int Status => status;

    public static StorageRefusal NoBucket() => new(404, "notFound", "The specified bucket does not exist.");

    public static StorageRefusal NoObject(string bucket, string name) =>
        new(404, "notFound", $"No such object: {bucket}/{name}");

    public static StorageRefusal ConditionNotMet() =>
        new(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");

    public static StorageRefusal Invalid(string message) => new(400, "invalid", message);

    public static StorageRefusal Denied(StorageOperation operation, string bucket)
    {
        var (permission, resource) = operation switch
        {
            StorageOperation.GetBucket => ("storage.buckets.get", "bucket"),
            StorageOperation.CreateBucket => ("storage.buckets.create", "project"),
            StorageOperation.ListObjects => ("storage.objects.list", "bucket"),
            StorageOperation.GetObject or StorageOperation.DownloadObject => ("storage.objects.get", "object"),
            StorageOperation.DeleteObject => ("storage.objects.delete", "object"),
            _ => ("storage.objects.create", "object"),
        };
        return new(
            403, "forbidden",
            $"local@{bucket}.iam.gserviceaccount.com does not have {permission} access to the Google Cloud Storage "
            + $"{resource}. Permission '{permission}' denied on resource (or it may not exist).");
    }

    public static StorageRefusal NotHere(string what) =>
        new(501, "notImplemented", $"The local Cloud Storage has no {what}.");

    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.StatusCode = status;
        response.ContentType = "application/json; charset=UTF-8";
        await using var json = new Utf8JsonWriter(response.BodyWriter);
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteNumber("code", status);
        json.WriteString("message", Message);
        json.WriteStartArray("errors");
        json.WriteStartObject();
        json.WriteString("message", Message);
        json.WriteString("domain", "global");
        json.WriteString("reason", reason);
        if (status == 412)
        {
            json.WriteString("locationType", "header");
            json.WriteString("location", "If-Match");
        }

        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
    }

    /// <summary>The refusal that a scripted fault asks for.</summary>
    public static StorageRefusal Scripted(int status) => status switch
    {
        429 => new(429, "rateLimitExceeded", "The object exceeded the rate limit for object mutation operations."),
        503 => new(503, "backendError", "We encountered an internal error. Please try again."),
        500 => new(500, "internalError", "We encountered an internal error. Please try again."),
        _ => new(status, "scripted", $"Scripted answer {status.ToString(CultureInfo.InvariantCulture)}."),
    };
}
