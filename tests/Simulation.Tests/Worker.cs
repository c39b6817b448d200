namespace FeedbackLoop.Simulation.Tests;

/// <summary>A delivery, a sweep or a person, on its way.</summary>
/// <param name="bell">Rung when there is a piece, for whoever waits for one.</param>
internal sealed class Worker(string name, Bell bell, Relay relay, Func<IReadOnlyList<int>, bool> isBlocked) : TaskScheduler
{
    private readonly Lock _gate = new();
    private readonly Queue<Task> _pieces = [];
    private Task _work = Task.CompletedTask;
    private bool _isDead;
    private int? _player;

    public string Name { get; } = name;

    public Relay Relay { get; } = relay;

    /// <summary>Asks the database.</summary>
    public Func<IReadOnlyList<int>, bool> IsBlocked { get; } = isBlocked;

    public bool IsLiving => !_isDead && !_work.IsCompleted;

    public bool IsReady
    {
        get
        {
            lock (_gate)
            {
                return _pieces.Count > 0;
            }
        }
    }

    /// <summary>How many pieces there have ever been.</summary>
    public int Posted { get; private set; }

    /// <summary>What ended it, if it did not end well.</summary>
    public Exception? Failure => _work.IsFaulted ? _work.Exception.InnerException : null;

    public void Begin(Func<Task> act) =>
        _work = Task.Factory.StartNew(act, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    /// <summary>To the next await that waits.</summary>
    public void PlayPiece()
    {
        Task piece;
        lock (_gate)
        {
            piece = _pieces.Dequeue();
        }

        _player = Environment.CurrentManagedThreadId;
        TryExecuteTask(piece);
        _player = null;
    }

    public void Kill()
    {
        lock (_gate)
        {
            _isDead = true;
            _pieces.Clear();
        }
    }

    protected override void QueueTask(Task task)
    {
        lock (_gate)
        {
            if (_isDead)
            {
                return;
            }

            _pieces.Enqueue(task);
            Posted++;
        }

        // While a piece is played nobody waits.
        if (_player != Environment.CurrentManagedThreadId)
        {
            bell.Ring();
        }
    }

    // A method that comes to its end lets its caller go on in the same piece, as everywhere.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && _player == Environment.CurrentManagedThreadId && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => throw new NotSupportedException("for debuggers");
}
