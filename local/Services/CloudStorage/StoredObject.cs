using System.Text.Json.Serialization;
using FeedbackLoop.Local.Hosting;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>The resource <c>storage#object</c>: on the wire, and as a file beside the content.</summary>
internal sealed record StoredObject
{
    public string Kind { get; init; } = "storage#object";

    public required string Id { get; init; }

    public required string SelfLink { get; init; }

    public required string MediaLink { get; init; }

    public required string Name { get; init; }

    public required string Bucket { get; init; }

    [JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    public required long Generation { get; init; }

    [JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    public long Metageneration { get; init; } = 1;

    public string? ContentType { get; init; }

    public string? ContentEncoding { get; init; }

    public string? CacheControl { get; init; }

    public string StorageClass { get; init; } = "STANDARD";

    [JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    public required long Size { get; init; }

    public required string Md5Hash { get; init; }

    public required string Crc32c { get; init; }

    public required string Etag { get; init; }

    public required DateTimeOffset TimeCreated { get; init; }

    public required DateTimeOffset Updated { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}

/// <summary>What a client says about an object that it is about to write.</summary>
internal sealed record ObjectInput
{
    public string? Name { get; init; }

    public string? ContentType { get; init; }

    public string? ContentEncoding { get; init; }

    public string? CacheControl { get; init; }

    /// <summary>Base64, big-endian. Checked against the content when given.</summary>
    public string? Crc32c { get; init; }

    /// <summary>Base64. Checked against the content when given.</summary>
    public string? Md5Hash { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}

/// <summary>The resource <c>storage#bucket</c>.</summary>
internal sealed record StoredBucket
{
    public string Kind { get; init; } = "storage#bucket";

    public required string Id { get; init; }

    public required string Name { get; init; }

    public string Location { get; init; } = "US-CENTRAL1";

    public string StorageClass { get; init; } = "STANDARD";

    public required DateTimeOffset TimeCreated { get; init; }
}

internal sealed record BucketInput(string? Name, string? Location, string? StorageClass);

internal sealed record ObjectList
{
    public string Kind { get; init; } = "storage#objects";

    public IReadOnlyList<StoredObject>? Items { get; init; }

    public IReadOnlyList<string>? Prefixes { get; init; }

    public string? NextPageToken { get; init; }
}

internal sealed record RewriteResponse
{
    public string Kind { get; init; } = "storage#rewriteResponse";

    [JsonNumberHandling(JsonNumberHandling.WriteAsString)]
    public required long TotalBytesRewritten { get; init; }

    [JsonNumberHandling(JsonNumberHandling.WriteAsString)]
    public required long ObjectSize { get; init; }

    public bool Done { get; init; } = true;

    public required StoredObject Resource { get; init; }
}

[JsonSourceGenerationOptions(
    Converters = [typeof(GoogleTime)],
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredObject))]
[JsonSerializable(typeof(ObjectInput))]
[JsonSerializable(typeof(StoredBucket))]
[JsonSerializable(typeof(BucketInput))]
[JsonSerializable(typeof(ObjectList))]
[JsonSerializable(typeof(RewriteResponse))]
internal sealed partial class StorageJson : JsonSerializerContext;
