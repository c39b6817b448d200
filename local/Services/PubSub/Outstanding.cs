namespace FeedbackLoop.Local.PubSub;

/// <summary>Messages that push subscriptions are not done with, over all of them.</summary>
/// <remarks>
/// One counter, not a look at each queue: a receiver that publishes before it answers raises the number before its own
/// message lowers it, so zero means that the whole chain has come to rest.
/// </remarks>
internal sealed class Outstanding
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _idle = Completed();
    private long _count;

    public void Add(long messages)
    {
        lock (_lock)
        {
            _count += messages;
            if (_count == 0)
            {
                _idle.TrySetResult();
            }
            else if (_idle.Task.IsCompleted)
            {
                _idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    public Task WaitUntilNoneAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _idle.Task.WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        source.SetResult();
        return source;
    }
}
