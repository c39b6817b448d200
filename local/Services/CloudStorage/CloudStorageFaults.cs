using System.Collections.Concurrent;
using FeedbackLoop.Local.Hosting;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>
/// What the stand-in does wrong. Everything may be changed while it runs; nothing is wrong by default.
/// </summary>
public sealed class CloudStorageFaults
{
    private readonly ConcurrentDictionary<StorageOperation, ConcurrentQueue<int>> _answers = new();
    private readonly ConcurrentDictionary<string, bool> _denied = new();
    private readonly ConcurrentQueue<long> _abortedChunks = new();
    private readonly ConcurrentQueue<long> _partialChunks = new();
    private readonly CallCount _lostResponses = new();

    /// <summary>The next requests of this kind are answered with a status and not executed.</summary>
    public void Answer(StorageOperation operation, int status, int times)
    {
        var queue = _answers.GetOrAdd(operation, _ => new ConcurrentQueue<int>());
        for (var i = 0; i < times; i++)
        {
            queue.Enqueue(status);
        }
    }

    /// <summary>
    /// Breaks the connection of one chunk after so many of its bytes. Whole 256 KiB of them are kept.
    /// </summary>
    public void AbortNextChunk(long afterBytes) => _abortedChunks.Enqueue(afterBytes);

    /// <summary>Reads one chunk whole but keeps only so many of its bytes, in whole 256 KiB, and says so.</summary>
    public void CommitPartOfNextChunk(long bytes) => _partialChunks.Enqueue(bytes);

    /// <summary>The next uploads become visible, but the client sees a broken connection.</summary>
    public void LoseFinalResponse(int times) => _lostResponses.Set(times);

    /// <summary>Answers every request for a bucket with 403.</summary>
    public void Deny(string bucket) => _denied[bucket] = true;

    public void Allow(string bucket) => _denied.TryRemove(bucket, out _);

    internal bool IsDenied(string bucket) => _denied.ContainsKey(bucket);

    internal int? TakeAnswer(StorageOperation operation) =>
        _answers.TryGetValue(operation, out var queue) && queue.TryDequeue(out var status) ? status : null;

    internal long? TakeAbortedChunk() => _abortedChunks.TryDequeue(out var bytes) ? bytes : null;

    internal long? TakePartialChunk() => _partialChunks.TryDequeue(out var bytes) ? bytes : null;

    internal bool TakeLostResponse() => _lostResponses.Take();
}
