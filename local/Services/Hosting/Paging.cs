namespace FeedbackLoop.Local.Hosting;

/// <summary>Pages of a list that is ordered by a key.</summary>
internal static class Paging
{
    /// <param name="token">Key of the last item of the page before; empty for the first page.</param>
    /// <returns>The page, and the token of the next one: empty when this is the last.</returns>
    public static (IReadOnlyList<T> Items, string NextToken) Page<T>(
        IEnumerable<T> ordered, Func<T, string> key, string token, int size)
    {
        var rest = token.Length == 0 ? ordered : ordered.SkipWhile(item => key(item) != token).Skip(1);
        var items = rest.Take(size + 1).ToList();
        if (items.Count <= size)
        {
            return (items, "");
        }

        items.RemoveAt(size);
        return (items, key(items[^1]));
    }
}
