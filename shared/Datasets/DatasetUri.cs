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

    /// <summary>The name of a file in its store, whatever kind of store that is.</summary>
    /// <exception cref="DatasetStoreException">The address leads to another bucket or folder.</exception>
    public static string NameIn(IDatasetStore store, string uri)
    {
        var root = store.UriOf("");
        return uri.StartsWith(root, StringComparison.Ordinal) && uri.Length > root.Length
            ? uri[root.Length..].TrimStart('/')
            : throw new DatasetStoreException(
                $"{uri} does not lie in {root}: GoogleCloud:Bucket names another bucket", isPermanent: true, inner: null);
    }
}
