using Xunit;

namespace FeedbackLoop.Testing;

/// <summary>
/// How a test waits: for a condition, and so long that only a fault makes it give up. The machine that a test runs on may have
/// twenty other programs at work; how fast something is belongs to <c>bench/</c>.
/// </summary>
public static class Patience
{
    /// <summary>Less than the limit of a test, so that who waits in vain says for what.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Looks until there is something to see.</summary>
    /// <param name="what">For the message when there never is: what was waited for, or how things are instead.</param>
    /// <returns>The first that is neither null nor false.</returns>
    public static async Task<T> UntilAsync<T>(Func<Task<T?>> look, Func<string> what)
        where T : class
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (await look() is { } found)
            {
                return found;
            }

            await PauseAsync(start, what);
        }
    }

    /// <inheritdoc cref="UntilAsync{T}(Func{Task{T}}, Func{string})"/>
    public static async Task UntilAsync(Func<Task<bool>> isTrue, Func<string> what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await isTrue())
        {
            await PauseAsync(start, what);
        }
    }

    /// <inheritdoc cref="UntilAsync{T}(Func{Task{T}}, Func{string})"/>
    public static Task UntilAsync(Func<bool> isTrue, Func<string> what) => UntilAsync(() => Task.FromResult(isTrue()), what);

    /// <summary>Gives up on what does not end.</summary>
    /// <exception cref="TimeoutException">It has not ended within <see cref="Limit"/>.</exception>
    public static Task WithPatience(this Task task) => task.WaitAsync(Limit, Stop);

    /// <inheritdoc cref="WithPatience(Task)"/>
    public static Task<T> WithPatience<T>(this Task<T> task) => task.WaitAsync(Limit, Stop);

    private static async Task PauseAsync(long start, Func<string> what)
    {
        var waited = TimeProvider.System.GetElapsedTime(start);
        if (waited >= Limit)
        {
            throw new TimeoutException($"waited for {waited.TotalMinutes:0} minutes in vain: {what()}");
        }

        await Task.Delay(Pause, Stop);
    }
}
