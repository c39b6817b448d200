using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using FeedbackLoop.Datasets;

namespace FeedbackLoop.Testing;

/// <summary>A bucket in memory.</summary>
public sealed class MemoryDatasetStore(string bucket = "datasets") : IDatasetStore
{
    private readonly ConcurrentDictionary<string, (byte[] Content, long Generation)> _files = new();
    private readonly ConcurrentQueue<Exception> _copyFaults = new();
    private long _generation = 1000;

    /// <summary>Names of all files there are.</summary>
    public IReadOnlyList<string> Names => [.. _files.Keys.Order(StringComparer.Ordinal)];

    public byte[]? Find(string name) => _files.TryGetValue(name, out var file) ? file.Content : null;

    /// <summary>Puts a file there, over another one if need be.</summary>
    public StoredFile Put(string name, string content)
    {
        var file = (Encoding.UTF8.GetBytes(content), Interlocked.Increment(ref _generation));
        _files[name] = file;
        return Describe(name, file);
    }

    /// <summary>The next copy throws this.</summary>
    public void FailNextCopy(Exception exception) => _copyFaults.Enqueue(exception);

    public string UriOf(string name) => $"gs://{bucket}/{name}";

    public Task<DatasetFile> CreateAsync(string name, string contentType, CancellationToken cancellationToken) =>
        Task.FromResult<DatasetFile>(new MemoryFile(this, name));

    public Task<Stream> OpenReadAsync(string name, long? generation, CancellationToken cancellationToken) =>
        _files.TryGetValue(name, out var file) && (generation ?? file.Generation) == file.Generation
            ? Task.FromResult<Stream>(new MemoryStream(file.Content, writable: false))
            : throw new DatasetStoreException(
                generation is null ? $"{name} does not exist" : $"{name} of generation {generation} does not exist",
                isPermanent: true, inner: null);

    public Task<StoredFile> CopyAsync(
        string source, long generation, string target, CancellationToken cancellationToken)
    {
        if (_copyFaults.TryDequeue(out var fault))
        {
            throw fault;
        }

        return _files.TryGetValue(source, out var file) && file.Generation == generation
            ? Task.FromResult(Add(target, file.Content))
            : throw new DatasetStoreException(
                $"{source} of generation {generation} does not exist", isPermanent: true, inner: null);
    }

    /// <summary>Deleting this file is refused for as long as it is set.</summary>
    public string? Undeletable { get; set; }

    public Task DeleteAsync(string name, long? generation, CancellationToken cancellationToken)
    {
        if (name == Undeletable)
        {
            throw new DatasetStoreException($"{name} is held", isPermanent: true, inner: null);
        }

        if (_files.TryGetValue(name, out var file) && (generation ?? file.Generation) == file.Generation)
        {
            _files.TryRemove(name, out _);
        }

        return Task.CompletedTask;
    }

    public Task EraseAsync(string name, long? newest, CancellationToken cancellationToken)
    {
        if (_files.TryGetValue(name, out var file) && file.Generation <= (newest ?? long.MaxValue))
        {
            _files.TryRemove(name, out _);
        }

        return Task.CompletedTask;
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken) =>
        Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToAsyncEnumerable();

    private StoredFile Add(string name, byte[] content)
    {
        var mine = (content, Interlocked.Increment(ref _generation));
        var there = _files.GetOrAdd(name, mine);
        return there.Content.AsSpan().SequenceEqual(content)
            ? Describe(name, there)
            : throw new DatasetConflictException(name, there.Generation);
    }

    private StoredFile Describe(string name, (byte[] Content, long Generation) file) =>
        new(UriOf(name), file.Generation, file.Content.Length, Convert.ToHexStringLower(SHA256.HashData(file.Content)));

    private sealed class MemoryFile(MemoryDatasetStore store, string name) : DatasetFile
    {
        private readonly MemoryStream _content = new();

        public override Stream Content => _content;

        public override Task<StoredFile> CommitAsync(CancellationToken cancellationToken) =>
            Task.FromResult(store.Add(name, _content.ToArray()));

        public override ValueTask DisposeAsync() => _content.DisposeAsync();
    }
}
