namespace FeedbackLoop.Datasets;

/// <summary>Addresses of dataset files.</summary>
public static class DatasetUri
{
    private const string Scheme = "gs://";

    /// <summary>The name inside its bucket: <c>gs://bucket/a/b.jsonl</c> to <c>a/b.jsonl</c>.</summary>
    public static string NameOf(string uri) =>
        uri.StartsWith(Scheme, StringComparison.Ordinal) && uri.IndexOf('/', Scheme.Length) is var slash and > 0
            ? uri[(slash + 1)..]
            : throw new ArgumentException($"{uri} is not an object in Cloud Storage", nameof(uri));
}
