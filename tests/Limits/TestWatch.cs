using System.Collections.Concurrent;
using Xunit;
using Xunit.Sdk;

namespace FeedbackLoop.Testing;

/// <summary>
/// Cancels a test that has taken too long, and ends the whole program when the test, or what all tests share, does not end by
/// that: a result that says which test hangs is better than none.
/// </summary>
internal sealed class TestWatch : IDisposable
{
    /// <summary>Of a test program that something hung in.</summary>
    public const int ExitCode = 86;

    // Seconds, for tests of the watch itself: the limit, and how long a test that is cancelled may take to end.
    private const string LimitVariable = "TEST_LIMIT_SECONDS";
    private const string GraceVariable = "TEST_GRACE_SECONDS";

    // The slowest takes a minute on a quiet machine, and all that it waits for gets less.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    // Between two tests, before the first one above all: a program may take its time to start, however short the limit
    // of a test.
    private static readonly TimeSpan ShortestIdle = TimeSpan.FromMinutes(2);

    // Before a test's body begins there is no context to cancel it by: what hangs in a constructor hangs until the program ends.
    private static readonly ConcurrentDictionary<string, ITestContext> Contexts = new();

    private readonly ConcurrentDictionary<string, Running> _running = new();
    private readonly TimeSpan _limit;
    private readonly TimeSpan _end;
    private readonly TimeSpan _idle;
    private readonly Timer _timer;
    private long _lastMessage = TimeProvider.System.GetTimestamp();

    private TestWatch(TimeSpan limit, TimeSpan grace)
    {
        (_limit, _end) = (limit, limit + grace);
        _idle = _end > ShortestIdle ? _end : ShortestIdle;
        var interval = limit / 30;
        _timer = new Timer(_ => Look(), state: null, interval, interval);
    }

    public static TestWatch FromEnvironment()
    {
        var limit = Seconds(LimitVariable) ?? Limit;
        return new TestWatch(limit, Seconds(GraceVariable) ?? limit * 0.2);
    }

    /// <summary>Said from within a test, when its body begins and when it is over.</summary>
    public static void Began(ITestContext context) => Contexts[context.Test!.UniqueID] = context; // a test runs

    /// <inheritdoc cref="Began"/>
    public static void Ended(ITestContext context) => Contexts.TryRemove(context.Test!.UniqueID, out _); // a test runs

    public void See(IMessageSinkMessage message)
    {
        Volatile.Write(ref _lastMessage, TimeProvider.System.GetTimestamp());
        switch (message)
        {
            case ITestStarting starting:
                _running[starting.TestUniqueID] = new(starting.TestDisplayName, TimeProvider.System.GetTimestamp());
                break;
            case ITestFinished finished:
                _running.TryRemove(finished.TestUniqueID, out _);
                break;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        foreach (var (id, test) in _running.Where(each => Age(each.Value.Start) > _limit))
        {
            if (Age(test.Start) > _end)
            {
                End($"{test.Name} has taken more than its limit of {_limit} and cannot be cancelled");
            }

            if (!test.IsCancelled && Contexts.TryGetValue(id, out var context))
            {
                Say($"{test.Name} has taken its limit of {_limit} and is cancelled");
                test.IsCancelled = true;
                context.CancelCurrentTest();
            }
        }

        if (_running.IsEmpty && Age(Volatile.Read(ref _lastMessage)) > _idle)
        {
            End($"no test has begun or ended for {_idle}: what all tests share hangs");
        }
    }

    private static TimeSpan? Seconds(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static TimeSpan Age(long start) => TimeProvider.System.GetElapsedTime(start);

    private static void Say(string what) => Console.Error.WriteLine($"[limit] {what}");

    private static void End(string why)
    {
        Say(why + "; the program ends");
        Environment.Exit(ExitCode);
    }

    private sealed record Running(string Name, long Start)
    {
        public bool IsCancelled { get; set; }
    }
}
