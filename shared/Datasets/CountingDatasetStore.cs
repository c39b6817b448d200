namespace FeedbackLoop.Datasets;

/// <summary>
/// Takes what an export writes, counts and hashes it, and keeps nothing: what a run would find is known without a file.
/// </summary>
public sealed class CountingDatasetStore(string bucket) : IDatasetStore
{
    public string UriOf(string name) => $"gs://{bucket}/{name}";

    public Task<DatasetFile> CreateAsync(string name, string contentType, CancellationToken cancellationToken) =>
        Task.FromResult<DatasetFile>(new CountedFile(UriOf(name)));

    public Task<Stream> OpenReadAsync(string name, long? generation, CancellationToken cancellationToken) =>
        throw NothingKept(name);

    public Task<StoredFile> CopyAsync(
        string source, long generation, string target, CancellationToken cancellationToken) => throw NothingKept(source);

    public Task DeleteAsync(string name, long? generation, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task EraseAsync(string name, long? newest, CancellationToken cancellationToken) => Task.CompletedTask;

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken) =>
        AsyncEnumerable.Empty<string>();

    private DatasetStoreException NothingKept(string name) =>
        new($"{UriOf(name)} was counted and not kept", isPermanent: true, inner: null);

    private sealed class CountedFile(string uri) : DatasetFile
    {
        private readonly HashingStream _content = new(Stream.Null);

        public override Stream Content => _content;

        public override Task<StoredFile> CommitAsync(CancellationToken cancellationToken) =>
            Task.FromResult(new StoredFile(uri, 0, _content.Length, _content.Sha256()));

        public override ValueTask DisposeAsync() => _content.DisposeAsync();
    }
}
