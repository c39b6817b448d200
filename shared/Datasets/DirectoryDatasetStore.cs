using System.Security.Cryptography;

namespace FeedbackLoop.Datasets;

/// <summary>Datasets in a local folder. A file gets its name when it is complete; an old one is replaced.</summary>
public sealed class DirectoryDatasetStore(string root) : IDatasetStore
{
    public string UriOf(string name) => Path.GetFullPath(Path.Combine(root, name));

    public Task<DatasetFile> CreateAsync(string name, string contentType, CancellationToken cancellationToken)
    {
        var path = UriOf(name);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return Task.FromResult<DatasetFile>(new PartialFile(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetStoreException($"Cannot write {path}: {e.Message}", isPermanent: true, e);
        }
    }

    public Task<Stream> OpenReadAsync(string name, long? generation, CancellationToken cancellationToken)
    {
        var path = UriOf(name);
        try
        {
            return Task.FromResult<Stream>(File.OpenRead(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DatasetStoreException($"Cannot read {path}: {e.Message}", isPermanent: true, e);
        }
    }

    public async Task<StoredFile> CopyAsync(
        string source, long generation, string target, CancellationToken cancellationToken)
    {
        await using var content = File.OpenRead(UriOf(source));
        await using var copy = await CreateAsync(target, "application/octet-stream", cancellationToken);
        await content.CopyToAsync(copy.Content, cancellationToken);
        return await copy.CommitAsync(cancellationToken);
    }

    public Task DeleteAsync(string name, long? generation, CancellationToken cancellationToken)
    {
        try
        {
            File.Delete(UriOf(name));
        }
        catch (DirectoryNotFoundException)
        {
            // Then the file is not there either.
        }

        return Task.CompletedTask;
    }

    // A folder keeps no versions.
    public Task EraseAsync(string name, long? newest, CancellationToken cancellationToken) =>
        DeleteAsync(name, generation: null, cancellationToken);

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var folder = UriOf(prefix.Contains('/', StringComparison.Ordinal) ? prefix[..prefix.LastIndexOf('/')] : "");
        return (Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) : [])
            .Select(path => Path.GetRelativePath(UriOf(""), path).Replace(Path.DirectorySeparatorChar, '/'))
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .ToAsyncEnumerable();
    }

    private sealed class PartialFile : DatasetFile
    {
        private readonly string _path;
        private readonly string _partialPath;
        private readonly FileStream _file;
        private readonly HashingStream _content;

        public PartialFile(string path)
        {
            _path = path;
            _partialPath = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.part";
            _file = new FileStream(
                _partialPath, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, useAsync: true);
            _content = new HashingStream(_file);
        }

        public override Stream Content => _content;

        public override async Task<StoredFile> CommitAsync(CancellationToken cancellationToken)
        {
            await _file.FlushAsync(cancellationToken);
            await _file.DisposeAsync();
            File.Move(_partialPath, _path, overwrite: true);
            return new(_path, 0, _content.Length, _content.Sha256());
        }

        public override async ValueTask DisposeAsync()
        {
            await _file.DisposeAsync();
            await _content.DisposeAsync();
            File.Delete(_partialPath);
        }
    }
}
