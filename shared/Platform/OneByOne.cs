namespace FeedbackLoop.Platform;

/// <summary>Many things are done one after the other, and none that fails stops the next.</summary>
public static class OneByOne
{
    /// <param name="failures">Gets what went wrong: whoever did all of it fails in the end.</param>
    /// <param name="report">Says at once what went wrong.</param>
    /// <returns>Whether it went well.</returns>
    public static async Task<bool> TryAsync(
        Func<Task> act, ICollection<Exception> failures, Action<Exception> report, CancellationToken cancellationToken)
    {
        try
        {
            await act();
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            report(e);
            failures.Add(e);
            return false;
        }
    }
}
