using System.Globalization;
using System.Text.RegularExpressions;

namespace FeedbackLoop.Local.CloudStorage;

/// <summary>The header <c>Content-Range</c> of a resumable upload.</summary>
/// <param name="First">Offset of the first byte of the body; null when the body holds none.</param>
/// <param name="Last">Offset of the last byte, inclusive.</param>
/// <param name="Total">Length of the whole object; null as long as the client does not know.</param>
internal sealed partial record ContentRange(long? First, long? Last, long? Total)
{
    /// <returns>Null when the header cannot be read.</returns>
    public static ContentRange? Parse(string header)
    {
        if (Pattern().Match(header) is not { Success: true } match)
        {
            return null;
        }

        var range = new ContentRange(Number(match, 1), Number(match, 2), Number(match, 3));
        return range.First > range.Last || range.Last >= range.Total ? null : range;
    }

    private static long? Number(Match match, int group) =>
        match.Groups[group] is { Success: true, Value: var text }
            ? long.Parse(text, CultureInfo.InvariantCulture)
            : null;

    [GeneratedRegex(@"^bytes (?:([0-9]{1,18})-([0-9]{1,18})|\*)/(?:([0-9]{1,18})|\*)$")]
    private static partial Regex Pattern();
}
