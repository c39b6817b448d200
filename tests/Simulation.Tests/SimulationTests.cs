using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using FeedbackLoop.Testing;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>
/// The real steps on a real database, in orders and with ends that seeds decide: a worker may end at every await. A failure
/// names its seed and shows all that was done; <c>SIMULATION_SEEDS=17</c> plays it alone, <c>SIMULATION_SEEDS=0..100000</c>
/// plays many.
/// </summary>
/// <remarks>
/// A play is not always the same each time: where the product hands something to the thread pool, the end of a heartbeat, it may have
/// a piece more or less.
/// </remarks>
public sealed class SimulationTests(PostgresFixture postgres, ITestOutputHelper output)
{
    /// <summary>As many as fit into the suite's time; a thousand take about three minutes on two quiet processors.</summary>
    private const int SeedsOfTheSuite = 200;

    /// <summary>Plays at once; each waits for its database half of the time.</summary>
    private static readonly int Lanes = Environment.ProcessorCount * 2;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_order_of_events_pays_twice_loses_a_file_or_leaves_a_run_without_an_end()
    {
        var (first, count) = SeedsToPlay();
        var next = first - 1;
        var failures = new ConcurrentQueue<string>();
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(async _ =>
        {
            await using var lane = await Lane.StartAsync(postgres, Cancellation);
            await Task.Factory.StartNew(
                () =>
                {
                    for (int seed; failures.Count < 10 && (seed = Interlocked.Increment(ref next)) < first + count;)
                    {
                        if (PlayOf(lane, seed, out var trace) is { } failure)
                        {
                            failures.Enqueue($"seed {seed}: {failure}\n{string.Join('\n', trace)}");
                        }
                    }
                },
                Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }));

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{count} plays from seed {first} on in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s"));
        Assert.True(failures.IsEmpty, string.Join("\n\n", failures));
    }

    private static string? PlayOf(Lane lane, int seed, out IReadOnlyList<string> trace)
    {
        using var play = new Play(lane, seed);
        trace = play.Trace;
        try
        {
            play.Run();
            return null;
        }
        catch (Exception e) when (e is PlayFailedException or TimeoutException)
        {
            return e.Message;
        }
    }

    private static (int First, int Count) SeedsToPlay()
    {
        if (Environment.GetEnvironmentVariable("SIMULATION_SEEDS") is not { Length: > 0 } wish)
        {
            return (0, SeedsOfTheSuite);
        }

        var ends = wish.Split("..");
        var first = int.Parse(ends[0], CultureInfo.InvariantCulture);
        return (first, ends.Length == 1 ? 1 : int.Parse(ends[1], CultureInfo.InvariantCulture) - first);
    }
}
