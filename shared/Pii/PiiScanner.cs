using System.Text;

namespace FeedbackLoop.Pii;

/// <summary>Finds personal data that has a form of its own. Names, addresses and dates of birth have none.</summary>
/// <remarks>Immutable and safe for any number of threads; make one and keep it.</remarks>
public sealed class PiiScanner
{
    private readonly PhoneDetector _phones;

    /// <param name="phoneRegions">
    /// ISO 3166 codes of the countries whose telephone numbers are found without a country code; each costs time per
    /// candidate. <see langword="null"/>: <see cref="DefaultPhoneRegions"/>. A country code is understood in any case.
    /// </param>
    /// <exception cref="ArgumentException">A region is unknown.</exception>
    public PiiScanner(IEnumerable<string>? phoneRegions = null) =>
        _phones = new PhoneDetector(new PhoneBook(phoneRegions ?? DefaultPhoneRegions));

    public static IReadOnlyList<string> DefaultPhoneRegions { get; } =
    [
        "US", "CA", "GB", "IE", "DE", "AT", "CH", "FR", "BE", "NL", "ES", "PT", "IT", "PL", "SE", "DK",
        "IN", "AU", "BR", "MX", "JP",
    ];

    /// <summary>Whether <see cref="Find"/> would find anything; stops at the first match.</summary>
    public bool ContainsAny(ReadOnlySpan<char> text)
    {
        var scan = new PiiScan(text, matches: null);
        Run(ref scan);
        var hasMatch = scan.HasMatch;
        scan.Dispose();
        return hasMatch;
    }

    /// <inheritdoc cref="ContainsAny(ReadOnlySpan{char})"/>
    public bool ContainsAny(string text) => ContainsAny(text.AsSpan());

    /// <summary>All matches in the order of the text; they do not overlap. Empty when there is none.</summary>
    public IReadOnlyList<PiiMatch> Find(string text)
    {
        var matches = new List<PiiMatch>();
        var scan = new PiiScan(text, matches);
        Run(ref scan);
        scan.Dispose();
        matches.Sort((left, right) => left.Start.CompareTo(right.Start));
        return matches;
    }

    /// <summary>
    /// The text with a placeholder such as <c>[EMAIL]</c> for each match. Nothing is found in the result, and redacting
    /// it again changes nothing. A text without a match is returned as it is.
    /// </summary>
    public string Redact(string text)
    {
        // What is taken out may uncover a number that stood too close to it, or too far from its word. Each round takes
        // a digit or an at sign out and puts none in, so the rounds end.
        for (var matches = Find(text); matches.Count > 0; matches = Find(text))
        {
            text = Replace(text, matches);
        }

        return text;
    }

    private static string Replace(string text, IReadOnlyList<PiiMatch> matches)
    {
        var redacted = new StringBuilder(text.Length);
        var copied = 0;
        foreach (var match in matches)
        {
            redacted.Append(text, copied, match.Start - copied).Append(Placeholders.For(match.Kind));
            copied = match.End;
        }

        return redacted.Append(text, copied, text.Length - copied).ToString();
    }

    // The order matters: the more a form says by itself, the earlier it comes, and each takes its digits away from
    // those behind it. Telephone numbers have almost no form and come last.
    private void Run(scoped ref PiiScan scan)
    {
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
