using FeedbackLoop.Testing;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>
/// Runs the asynchronous work of several workers on one thread, piece by piece: a piece goes from one await to the next one that
/// really waits. Whoever holds the stage says which worker's piece is next, or that a worker ends here for ever.
/// </summary>
/// <remarks>
/// A piece ends when the worker waits for something outside: a row, a call, a turn that it gave away. The stage then waits
/// until that has come, so that who may go on next depends on what happened and not on how fast. A worker that waits for a
/// lock of another one is told apart by asking the database, and goes on when it can.
/// </remarks>
internal sealed class Stage
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);
    private readonly object _gate = new();
    private readonly List<Worker> _workers = [];

    /// <summary>Those that have begun and are neither over nor dead, the oldest first.</summary>
    public IReadOnlyList<Worker> Living => [.. _workers.Where(worker => worker.IsLiving)];

    /// <param name="relay">Between the worker and its database.</param>
    /// <param name="isBlocked">Whether the worker waits for a lock that another worker holds.</param>
    public Worker Begin(string name, Relay relay, Func<bool> isBlocked, Func<Task> act)
    {
        var worker = new Worker(name, _gate, relay, isBlocked);
        _workers.Add(worker);
        RunAs(worker, () => worker.Work = act());
        return worker;
    }

    /// <summary>One piece of the worker's work.</summary>
    /// <returns>False when it waits for a lock.</returns>
    public bool Resume(Worker worker)
    {
        (SendOrPostCallback Callback, object? State) piece;
        lock (_gate)
        {
            if (!worker.Pieces.TryDequeue(out piece))
            {
                return false;
            }
        }

        RunAs(worker, () => piece.Callback(piece.State));
        return true;
    }

    /// <summary>It neither goes on nor cleans up.</summary>
    public void Kill(Worker worker)
    {
        lock (_gate)
        {
            worker.IsDead = true;
            worker.Pieces.Clear();
        }

        _workers.Remove(worker);
    }

    /// <summary>Waits until each worker has its next piece, is over, or waits for a lock.</summary>
    public void Settle()
    {
        foreach (var worker in Living)
        {
            Settle(worker);
        }

        foreach (var over in _workers.Where(worker => !worker.IsLiving).ToList())
        {
            _workers.Remove(over);
        }
    }

    private void Settle(Worker worker)
    {
        var start = TimeProvider.System.GetTimestamp();
        lock (_gate)
        {
            while (worker.IsLiving && !(worker.Pieces.Count > 0 && worker.Relay.IsQuiet))
            {
                var pause = worker.Pieces.Count > 0 ? TimeSpan.FromMilliseconds(1) : Look;
                if (!Monitor.Wait(_gate, pause) && worker.Pieces.Count == 0 && worker.IsBlocked())
                {
                    return;
                }

                if (TimeProvider.System.GetElapsedTime(start) > Patience.Limit)
                {
                    throw new TimeoutException($"{worker.Name} waits for something that never comes");
                }
            }
        }
    }

    private static void RunAs(Worker worker, Action act)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(worker.Context);
        worker.Relay.Close();
        try
        {
            act();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
            worker.Relay.Open();
        }
    }
}

/// <summary>A delivery, a sweep or a person, on its way.</summary>
internal sealed class Worker
{
    private readonly object _gate;

    public Worker(string name, object gate, Relay relay, Func<bool> isBlocked)
    {
        (Name, _gate, Relay, IsBlocked) = (name, gate, relay, isBlocked);
        Context = new Turns(this);
    }

    public string Name { get; }

    public Relay Relay { get; }

    /// <summary>Asks the database.</summary>
    public Func<bool> IsBlocked { get; }

    public Task Work { get; set; } = Task.CompletedTask;

    public bool IsDead { get; set; }

    public bool IsLiving => !IsDead && !Work.IsCompleted;

    public bool IsReady => Pieces.Count > 0;

    public Queue<(SendOrPostCallback Callback, object? State)> Pieces { get; } = [];

    public SynchronizationContext Context { get; }

    /// <summary>What ended it, if it did not end well.</summary>
    public Exception? Failure => Work.IsFaulted ? Work.Exception.InnerException : null;

    private void Add(SendOrPostCallback callback, object? state)
    {
        lock (_gate)
        {
            if (!IsDead)
            {
                Pieces.Enqueue((callback, state));
                Monitor.PulseAll(_gate);
            }
        }
    }

    private sealed class Turns(Worker worker) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => worker.Add(d, state);

        public override void Send(SendOrPostCallback d, object? state) =>
            throw new NotSupportedException("nobody waits for another thread here");

        public override SynchronizationContext CreateCopy() => this;
    }
}
