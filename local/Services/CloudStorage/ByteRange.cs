using System.Net.Http.Headers;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>The header <c>Range</c> of a download.</summary>
internal static class ByteRange
{
    /// <param name="header">Null, unreadable or with several ranges: the whole object, as the service does.</param>
    /// <returns>Offset and length, or null when the object has no such bytes (416).</returns>
    public static (long Offset, long Length)? Resolve(string? header, long size)
    {
        if (!RangeHeaderValue.TryParse(header, out var parsed) || parsed is not { Unit: "bytes", Ranges.Count: 1 })
        {
            return (0, size);
        }

        return parsed.Ranges.Single() switch
        {
            { From: null, To: { } last } => last == 0 || size == 0
                ? null
                : (size - Math.Min(last, size), Math.Min(last, size)),
            { From: { } from } when from >= size => null,
            { From: { } from, To: null } => (from, size - from),
            { From: { } from, To: { } to } => (from, Math.Min(to, size - 1) - from + 1),
            _ => (0, size),
        };
    }
}
