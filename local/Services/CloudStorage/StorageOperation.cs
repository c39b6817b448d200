namespace FeedbackLoop.Local.CloudStorage;

/// <summary>What a request asks for; faults and counters go by it.</summary>
public enum StorageOperation
{
    CreateBucket,
    GetBucket,
    ListObjects,
    GetObject,
    DownloadObject,
    DeleteObject,

    /// <summary><c>copyTo</c> and <c>rewriteTo</c>.</summary>
    CopyObject,

    /// <summary>An upload in one request: <c>uploadType=media</c> or <c>multipart</c>.</summary>
    InsertObject,

    /// <summary>The request that opens a resumable upload.</summary>
    StartUpload,

    /// <summary>A PUT with content to a resumable upload, the last one included.</summary>
    WriteChunk,

    /// <summary>A PUT with <c>Content-Range: bytes */*</c> or <c>*/N</c>: how much is there?</summary>
    QueryUpload,

    CancelUpload,
}
