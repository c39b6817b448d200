namespace FeedbackLoop.Access;

/// <summary>Where keys may be fetched from.</summary>
internal static class IssuerUrl
{
    /// <summary>Why this URL is not usable; null when it is.</summary>
    /// <param name="allowHttp">
    /// Takes <c>http</c> on loopback: a key that came over a network in the clear is a key of whoever stood in between.
    /// </param>
    public static string? WhyNot(string url, bool allowHttp) =>
        !Uri.TryCreate(url, UriKind.Absolute, out var uri) ? $"{url} is no absolute URL"
        : uri is { Query: not "" } or { Fragment: not "" } or { UserInfo: not "" }
            ? $"{url} has a query, a fragment or a user"
        : uri.Scheme == Uri.UriSchemeHttps ? null
        : uri.Scheme != Uri.UriSchemeHttp ? $"{url} is not https"
        : !uri.IsLoopback ? $"{url} must be https: http is for an issuer on loopback only"
        : !allowHttp ? $"{url} is http, which AllowHttp does not allow"
        : null;
}
