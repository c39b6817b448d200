using System.Collections.Frozen;

namespace FeedbackLoop.Pii;

/// <summary>
/// The form of each country's account number, the part of an IBAN after country and check digits: one letter per
/// character, <c>n</c> digit, <c>a</c> letter, <c>c</c> either. Source: SWIFT IBAN Registry, release 99 (2024).
/// </summary>
internal static class IbanFormats
{
    /// <summary>Characters of the longest and of the shortest IBAN.</summary>
    public const int MaxLength = 34;

    public const int MinLength = 15;

    private const string Registered = """
        AD 8n12c; AE 19n; AL 8n16c; AT 16n; AZ 4a20c; BA 16n; BE 12n; BG 4a6n8c; BH 4a14c; BI 23n; BR 23n1a1c;
        BY 4c4n16c; CH 5n12c; CR 18n; CY 8n16c; CZ 20n; DE 18n; DJ 23n; DK 14n; DO 4c20n; EE 16n; EG 25n; ES 20n;
        FI 14n; FK 2a12n; FO 14n; FR 10n11c2n; GB 4a14n; GE 2a16n; GI 4a15c; GL 14n; GR 7n16c; GT 24c; HN 4a20n;
        HR 17n; HU 24n; IE 4a14n; IL 19n; IQ 4a15n; IS 22n; IT 1a10n12c; JO 4a4n18c; KW 4a22c; KZ 3n13c; LB 4n20c;
        LC 4a24c; LI 5n12c; LT 16n; LU 3n13c; LV 4a13c; LY 21n; MC 10n11c2n; MD 20c; ME 18n; MK 3n10c2n; MN 16n;
        MR 23n; MT 4a5n18c; MU 4a19n3a; NI 4a20n; NL 4a10n; NO 11n; OM 3n16c; PK 4a16c; PL 24n; PS 4a21c; PT 21n;
        QA 4a21c; RO 4a16c; RS 18n; RU 14n15c; SA 2n18c; SC 4a20n3a; SD 14n; SE 20n; SI 15n; SK 20n; SM 1a10n12c;
        SO 19n; ST 21n; SV 4a20n; TL 19n; TN 20n; TR 6n16c; UA 6n19c; VA 18n; VG 4a16n; XK 16n; YE 4a4n18c
        """;

    private static readonly FrozenDictionary<string, string> ByCountry = Registered
        .Split(';', StringSplitOptions.TrimEntries)
        .ToFrozenDictionary(entry => entry[..2], entry => Expand(entry.AsSpan(3)), StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> Lookup =
        ByCountry.GetAlternateLookup<ReadOnlySpan<char>>();

    public static IEnumerable<KeyValuePair<string, string>> All => ByCountry;

    /// <summary>The form for a country, in either case; <see langword="null"/> when none is registered.</summary>
    public static string? Find(ReadOnlySpan<char> country) => Lookup.TryGetValue(country, out var form) ? form : null;

    /// <summary>Whether the account number has the country's form and length.</summary>
    public static bool Fits(string form, ReadOnlySpan<char> account)
    {
        if (account.Length != form.Length)
        {
            return false;
        }

        for (var i = 0; i < form.Length; i++)
        {
            if (form[i] switch
            {
                'n' => !char.IsAsciiDigit(account[i]),
                'a' => !char.IsAsciiLetter(account[i]),
                _ => !char.IsAsciiLetterOrDigit(account[i]),
            })
            {
                return false;
            }
        }

        return true;
    }

    private static string Expand(ReadOnlySpan<char> rule)
    {
        var form = "";
        var count = 0;
        foreach (var c in rule)
        {
            if (char.IsAsciiDigit(c))
            {
                count = (count * 10) + (c - '0');
            }
            else
            {
                form += new string(c, count);
                count = 0;
            }
        }

        return form;
    }
}
