using System.Diagnostics;
using System.Net.Sockets;
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
internal sealed class Stage : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(3);

    /// <summary>How long an answer may be without anybody who goes on: when several are awaited together.</summary>
    private static readonly TimeSpan Reaction = TimeSpan.FromMilliseconds(20);

    private readonly Bell _bell = new();
    private readonly List<Worker> _workers = [];

    /// <summary>Those that have begun and are neither over nor dead, the oldest first.</summary>
    public IReadOnlyList<Worker> Living => [.. _workers.Where(worker => worker.IsLiving)];

    /// <param name="relay">Between the worker and its database.</param>
    /// <param name="isBlocked">Whether one of these processes of the server waits for a lock.</param>
    public Worker Begin(string name, Relay relay, Func<IReadOnlyList<int>, bool> isBlocked, Func<Task> act)
    {
        var worker = new Worker(name, _bell, relay, isBlocked);
        _workers.Add(worker);
        worker.Begin(act);
        worker.PlayPiece();
        return worker;
    }

    /// <summary>It neither goes on nor cleans up.</summary>
    public void Kill(Worker worker)
    {
        worker.Kill();
        _workers.Remove(worker);
    }

    /// <summary>Waits until each worker has its next piece, is over, or waits for a lock.</summary>
    public void Settle()
    {
        foreach (var worker in Living)
        {
            Settle(worker);
        }

        _workers.RemoveAll(worker => !worker.IsLiving);
    }

    public void Dispose() => _bell.Dispose();

    private void Settle(Worker worker)
    {
        var start = Stopwatch.GetTimestamp();
        while (worker.IsLiving)
        {
            _bell.Hush();
            worker.Relay.PassQuestions();
            var isAnswered = worker.Relay.AwaitAnswers(Look);
            if (!isAnswered && !worker.IsBlocked(worker.Relay.Asked))
            {
                // The server takes its time.
            }
            else if (PassAnswer(worker))
            {
                start = Stopwatch.GetTimestamp();
            }
            else if (!isAnswered || worker.IsReady)
            {
                return;
            }
            else
            {
                worker.Relay.AwaitWorker(_bell.Socket, Look);
            }

            if (Stopwatch.GetElapsedTime(start) > Patience.Limit)
            {
                throw new TimeoutException($"{worker.Name} waits for something that never comes");
            }
        }
    }

    // What comes of it is waited for, so that two answers never race for who goes on first.
    private bool PassAnswer(Worker worker)
    {
        var posted = worker.Posted;
        if (worker.Relay.PassAnswer() is not { } client)
        {
            return false;
        }

        var start = Stopwatch.GetTimestamp();
        while (worker.Posted == posted && worker.IsLiving && Stopwatch.GetElapsedTime(start) < Reaction
            && !client.Poll(0, SelectMode.SelectRead))
        {
            var ready = new List<Socket> { _bell.Socket, client };
            Socket.Select(ready, null, null, Look);
            _bell.Hush();
        }

        return true;
    }
}
