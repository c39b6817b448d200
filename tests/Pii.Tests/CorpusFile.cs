using System.Globalization;
using System.Text.RegularExpressions;

namespace FeedbackLoop.Pii.Tests;

/// <summary>
/// One text a line; <c>«…»</c> marks what is personal data. Lines that begin with "# " and empty lines are skipped.
/// <c>\uXXXX</c>, <c>\n</c> and <c>\t</c> stand for characters that an editor would not show.
/// </summary>
internal static partial class CorpusFile
{
    public static IReadOnlyList<Sample> Read(string name, PiiKind? kind) =>
    [
        .. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "corpus", name))
            .Where(line => line.Length > 0 && !line.StartsWith("# ", StringComparison.Ordinal))
            .Select(line => ToSample(Unescape(line), kind)),
    ];

    private static Sample ToSample(string line, PiiKind? kind)
    {
        if (kind is null)
        {
            return Sample.Negative(line);
        }

        var start = line.IndexOf('«', StringComparison.Ordinal);
        var end = line.IndexOf('»', StringComparison.Ordinal);
        return new Sample(line.Remove(end, 1).Remove(start, 1), kind, start, end - start - 1);
    }

    private static string Unescape(string line) => Escape().Replace(line, match => match.Value switch
    {
        "\\n" => "\n",
        "\\t" => "\t",
        var code => ((char)int.Parse(code.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString(),
    });

    [GeneratedRegex(@"\\(?:n|t|u[0-9A-F]{4})", RegexOptions.CultureInvariant)]
    private static partial Regex Escape();
}
