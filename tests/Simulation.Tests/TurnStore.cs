using FeedbackLoop.Datasets;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>A store that gives the turn away before and after each effect, so that a worker may end on either side of it.</summary>
internal sealed class TurnStore(IDatasetStore inner) : IDatasetStore
{
    public string UriOf(string name) => inner.UriOf(name);

    public async Task<DatasetFile> CreateAsync(string name, string contentType, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return new File(await inner.CreateAsync(name, contentType, cancellationToken));
    }

    public async Task<Stream> OpenReadAsync(string name, long? generation, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return await inner.OpenReadAsync(name, generation, cancellationToken);
    }

    public async Task<StoredFile> CopyAsync(
        string source, long generation, string target, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var copy = await inner.CopyAsync(source, generation, target, cancellationToken);
        await Task.Yield();
        return copy;
    }

    public async Task DeleteAsync(string name, long? generation, CancellationToken cancellationToken)
    {
        await Task.Yield();
        await inner.DeleteAsync(name, generation, cancellationToken);
        await Task.Yield();
    }

    public async Task EraseAsync(string name, long? newest, CancellationToken cancellationToken)
    {
        await Task.Yield();
        await inner.EraseAsync(name, newest, cancellationToken);
        await Task.Yield();
    }

    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken) =>
        inner.ListAsync(prefix, cancellationToken);

    private sealed class File(DatasetFile inner) : DatasetFile
    {
        public override Stream Content => inner.Content;

        public override async Task<StoredFile> CommitAsync(CancellationToken cancellationToken)
        {
            await Task.Yield();
            var stored = await inner.CommitAsync(cancellationToken);
            await Task.Yield();
            return stored;
        }

        public override ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
