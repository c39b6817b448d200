using System.Collections.Concurrent;

namespace FeedbackLoop.Local.Identity;

/// <summary>Where a login may lead back to.</summary>
internal sealed class RedirectUris
{
    private readonly ConcurrentBag<Uri> _prefixes = [];

    /// <exception cref="ArgumentException">Not on loopback, or its path does not end with a slash.</exception>
    public void Allow(Uri prefix)
    {
        if (!prefix.IsLoopback || !prefix.AbsolutePath.EndsWith('/') || prefix.Query.Length > 0)
        {
            throw new ArgumentException($"{prefix} is no loopback address with a path that ends with a slash", nameof(prefix));
        }

        _prefixes.Add(prefix);
    }

    /// <returns>The address in its normal form; null when it is not below a prefix that was allowed.</returns>
    public Uri? Find(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Fragment.Length == 0
        && _prefixes.Any(prefix => prefix.GetLeftPart(UriPartial.Authority) == uri.GetLeftPart(UriPartial.Authority)
            && uri.AbsolutePath.StartsWith(prefix.AbsolutePath, StringComparison.Ordinal))
            ? uri
            : null;
}
