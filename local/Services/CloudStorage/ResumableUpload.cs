namespace FeedbackLoop.Local.CloudStorage;

/// <summary>A resumable upload between its first request and its end. Nobody sees the object until then.</summary>
internal sealed class ResumableUpload(
    string bucket, string name, ObjectInput input, long? ifGenerationMatch, ContentFile content)
{
    public string Bucket => bucket;

    public string Name => name;

    public ObjectInput Input => input;

    public long? IfGenerationMatch => ifGenerationMatch;

    public ContentFile Content => content;

    /// <summary>Held by the one request that may change the upload.</summary>
    public SemaphoreSlim Gate { get; } = new(1);

    /// <summary>The object, once the upload is complete; a client that missed the answer may ask again.</summary>
    public StoredObject? Result { get; set; }
}
