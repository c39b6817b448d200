using System.Buffers;
using System.Text;

namespace FeedbackLoop.Pii;

/// <summary>Finds personal data that has a form of its own. Names, addresses and dates of birth have none.</summary>
/// <remarks>Immutable and safe for any number of threads; make one and keep it.</remarks>
public sealed class PiiScanner
{
    // Foreign digits begin at U+0660, full-width signs further on.
    private static readonly SearchValues<char> Harmless = SearchValues.Create(
        [.. Enumerable.Range(0, 0x660).Select(c => (char)c).Where(c => c is not ('@' or '&') && !char.IsAsciiDigit(c))]);

    private readonly PhoneDetector _phones;

    /// <param name="phoneRegions">
    /// ISO 3166 codes of the countries whose telephone numbers are found without a country code; each costs time per
    /// candidate. <see langword="null"/>: <see cref="DefaultPhoneRegions"/>. A country code is understood in any case.
    /// </param>
    /// <exception cref="ArgumentException">A region is unknown.</exception>
    public PiiScanner(IEnumerable<string>? phoneRegions = null)
    {
        // The library's tables are large, and who reads the names of types alone hardly ever asks for them.
        var book = phoneRegions is null
            ? new Lazy<PhoneBook>(() => new PhoneBook(DefaultPhoneRegions))
            : new Lazy<PhoneBook>(new PhoneBook(phoneRegions));
        _phones = new PhoneDetector(book);
    }

    public static IReadOnlyList<string> DefaultPhoneRegions { get; } =
    [
        "US", "CA", "GB", "IE", "DE", "AT", "CH", "FR", "BE", "NL", "ES", "PT", "IT", "PL", "SE", "DK",
        "IN", "AU", "BR", "MX", "JP",
    ];

    /// <summary>With the default regions. What of a project's types a prompt shows is decided by this one.</summary>
    public static PiiScanner Default { get; } = new();

    /// <summary>Whether <see cref="Find"/> would find anything; stops at the first match.</summary>
    public bool ContainsAny(ReadOnlySpan<char> text)
    {
        if (!MayHold(text))
        {
            return false;
        }

        var scan = new PiiScan(text, matches: null);
        Run(ref scan);
        var hasMatch = scan.HasMatch;
        scan.Dispose();
        return hasMatch;
    }

    /// <inheritdoc cref="ContainsAny(ReadOnlySpan{char})"/>
    public bool ContainsAny(string text) => ContainsAny(text.AsSpan());

    /// <summary>Whether <see cref="Find"/> would find anything in a value that stands under a label.</summary>
    public bool ContainsAny(string text, MemberLabel? label) =>
        MayHold(text) && ContainsAny(Labelled(text, label, out _));

    /// <summary>All matches in the order of the text; they do not overlap. Empty when there is none.</summary>
    /// <param name="label">Where the text stands, when that may say what it is.</param>
    public IReadOnlyList<PiiMatch> Find(string text, MemberLabel? label = null)
    {
        if (!MayHold(text))
        {
            return [];
        }

        var matches = new List<PiiMatch>();
        var scan = new PiiScan(Labelled(text, label, out var start), matches);
        Run(ref scan);
        scan.Dispose();
        matches.Sort((left, right) => left.Start.CompareTo(right.Start));
        return start == 0 ? matches : [.. matches.Select(match => match with { Start = match.Start - start })];
    }

    /// <summary>
    /// The text with a placeholder such as <c>[EMAIL]</c> for each match. Nothing is found in the result, and redacting
    /// it again changes nothing. A text without a match is returned as it is.
    /// </summary>
    public string Redact(string text)
    {
        // What is taken out may uncover a number that stood too close to it, or too far from its word. Each round leaves
        // fewer characters outside placeholders, so the rounds end.
        for (var matches = Find(text); matches.Count > 0; matches = Find(text))
        {
            text = Replace(text, matches, match => Placeholders.For(match.Kind));
        }

        return text;
    }

    internal static string Replace(string text, IReadOnlyList<PiiMatch> matches, Func<PiiMatch, string> placeholder)
    {
        var redacted = new StringBuilder(text.Length);
        var copied = 0;
        foreach (var match in matches)
        {
            redacted.Append(text, copied, match.Start - copied).Append(placeholder(match));
            copied = match.End;
        }

        return redacted.Append(text, copied, text.Length - copied).ToString();
    }

    /// <summary>Whether the text has an at sign, enough digits, or a character that may be read as one of them.</summary>
    private static bool MayHold(ReadOnlySpan<char> text)
    {
        var first = text.IndexOfAnyExcept(Harmless);
        if (first < 0)
        {
            return false;
        }

        // Only an IP address has fewer digits than a telephone number, and it has signs between them.
        var digits = 0;
        foreach (var c in text[first..])
        {
            if (char.IsAsciiDigit(c))
            {
                digits++;
            }
            else if (!Harmless.Contains(c))
            {
                return true;
            }
        }

        return digits >= PhoneDetector.MinDigits || text.ContainsAny('.', ':');
    }

    // The line break keeps the beginning of the value the beginning of a line.
    private static string Labelled(string text, MemberLabel? label, out int start)
    {
        var words = label?.ToWords() ?? "";
        start = words.Length == 0 ? 0 : words.Length + 2;
        return start == 0 ? text : $"{words}:\n{text}";
    }

    // The order matters: the more a form says by itself, the earlier it comes, and each takes its digits away from
    // those behind it. Telephone numbers have almost no form and come last.
    private void Run(scoped ref PiiScan scan)
    {
        UrlUserDetector.Run(ref scan);
        EmailDetector.Run(ref scan);
        if (scan.Groups.IsEmpty || scan.IsDone)
        {
            return;
        }

        IbanDetector.Run(ref scan);
        PaymentCardDetector.Run(ref scan);
        Ipv6Detector.Run(ref scan);
        Ipv4Detector.Run(ref scan);
        SocialSecurityDetector.Run(ref scan);
        _phones.Run(ref scan);
    }
}
