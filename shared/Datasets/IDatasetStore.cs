namespace FeedbackLoop.Datasets;

/// <summary>A file that is finalised and whose checksum was compared.</summary>
/// <param name="Uri"><c>gs://bucket/name</c>, or the path of a local file.</param>
/// <param name="Generation">Cloud Storage's version of the object; 0 for a local file.</param>
/// <param name="Sha256">Lower-case hex.</param>
public sealed record StoredFile(string Uri, long Generation, long Bytes, string Sha256);

/// <summary>
/// A file being written. Nobody sees it before <see cref="CommitAsync"/>; disposing it without a commit abandons it.
/// </summary>
public abstract class DatasetFile : IAsyncDisposable
{
    /// <summary>Write-only, forward-only; bytes go out as they come.</summary>
    public abstract Stream Content { get; }

    /// <summary>
    /// Finalises the file. One of the same name and content that is there already, from an earlier try, counts as this one.
    /// </summary>
    /// <exception cref="DatasetConflictException">The name is taken by other content.</exception>
    /// <exception cref="DatasetStoreException">The store refused or broke the write.</exception>
    public abstract Task<StoredFile> CommitAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}

/// <summary>Where datasets are written: a Cloud Storage bucket, or a folder.</summary>
public interface IDatasetStore
{
    /// <summary>Where <paramref name="name"/> will be found.</summary>
    string UriOf(string name);

    /// <summary>Starts a file that must not exist yet.</summary>
    /// <param name="name">Path below the store's root, with forward slashes.</param>
    Task<DatasetFile> CreateAsync(string name, string contentType, CancellationToken cancellationToken);

    /// <summary>The content of a file: a stream that knows its length and can be positioned.</summary>
    /// <param name="generation">The version to read; null: the one that is there now.</param>
    /// <exception cref="DatasetStoreException">Missing, no longer of that generation, or refused.</exception>
    Task<Stream> OpenReadAsync(string name, long? generation, CancellationToken cancellationToken);

    /// <summary>
    /// Copies one version of a file inside the store. A copy of the same content that is there already counts as this one.
    /// </summary>
    /// <exception cref="DatasetConflictException">The target is taken by other content.</exception>
    /// <exception cref="DatasetStoreException">The source is missing or no longer of that generation, or refused.</exception>
    Task<StoredFile> CopyAsync(
        string source, long generation, string target, CancellationToken cancellationToken);

    /// <summary>Removes a file, of this generation only when one is given; one that is not there is not an error.</summary>
    Task DeleteAsync(string name, long? generation, CancellationToken cancellationToken);

    /// <summary>
    /// Removes a file with the versions that the store keeps of it, so that nobody can bring it back; one that is not there is not
    /// an error.
    /// </summary>
    /// <param name="newest">Of the versions that go: what was written under the name later stays. Null: all go.</param>
    Task EraseAsync(string name, long? newest, CancellationToken cancellationToken);

    /// <summary>Names of the files whose names begin so, in no order, those that only have older versions among them.</summary>
    IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken);
}

/// <summary>The name of a file is taken by other content: an export over other data went to the same folder.</summary>
public sealed class DatasetConflictException(string name, long generation)
    : Exception($"{name} exists with other content (generation {generation})")
{
    public string Name { get; } = name;

    public long Generation { get; } = generation;
}

/// <summary>The store did not do as asked.</summary>
/// <param name="isPermanent">A repeat cannot help: no such bucket, no permission, a version that is gone.</param>
public sealed class DatasetStoreException(string message, bool isPermanent, Exception? inner)
    : Exception(message, inner)
{
    public bool IsPermanent { get; } = isPermanent;
}
