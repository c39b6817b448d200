using System.Collections.Frozen;
using System.Globalization;
using PhoneNumbers;

namespace FeedbackLoop.Pii;

/// <summary>Asks libphonenumber whether digits are a number in use. Slow: ask about candidates alone.</summary>
internal sealed class PhoneBook
{
    /// <summary>ITU-T E.164: country code and number together.</summary>
    public const int MaxDigits = 15;

    private readonly PhoneNumberUtil _numbers = PhoneNumberUtil.GetInstance();
    private readonly FrozenSet<int> _callingCodes;
    private readonly Region[] _regions;

    /// <param name="regions">ISO 3166 codes of the countries whose numbers are read without a country code.</param>
    /// <exception cref="ArgumentException">libphonenumber does not know a region.</exception>
    public PhoneBook(IEnumerable<string> regions)
    {
        _callingCodes = _numbers.GetSupportedCallingCodes().ToFrozenSet();
        _regions = [.. regions.Select(FindRegion)];
    }

    /// <param name="digits">ASCII digits from the country code on, without a plus sign.</param>
    public bool IsInternational(ReadOnlySpan<char> digits)
    {
        for (var length = 1; length <= 3 && length + 4 <= digits.Length; length++)
        {
            var code = int.Parse(digits[..length], CultureInfo.InvariantCulture);
            if (_callingCodes.Contains(code))
            {
                var rest = digits[length..];
                return IsValid(code, rest, region: null)
                    // "+49 030 …": the zero of the national form is written by mistake, and often.
                    || (rest[0] == '0' && IsValid(code, rest[1..], region: null));
            }
        }

        return false;
    }

    /// <summary>Whether a country code stands first and the length is one of that country's.</summary>
    public bool IsPossible(ReadOnlySpan<char> digits)
    {
        for (var length = 1; length <= 3 && length + 6 <= digits.Length; length++)
        {
            var code = int.Parse(digits[..length], CultureInfo.InvariantCulture);
            if (_callingCodes.Contains(code))
            {
                return _numbers.IsPossibleNumber(Number(code, digits[length..]));
            }
        }

        return false;
    }

    /// <summary>Whether the digits are a number of one of the regions as it is dialled inside the country.</summary>
    public bool IsNational(ReadOnlySpan<char> digits)
    {
        foreach (var region in _regions)
        {
            if (IsNational(digits, region))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the digits are a number of a region of the list with the country code 1.</summary>
    public bool IsNorthAmerican(ReadOnlySpan<char> digits)
    {
        foreach (var region in _regions)
        {
            if (region.CallingCode == 1 && IsNational(digits, region))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsNational(ReadOnlySpan<char> digits, Region region)
    {
        if (digits.Length < 5)
        {
            return false;
        }

        var hasTrunk = region.Trunk.Length > 0 && digits.StartsWith(region.Trunk, StringComparison.Ordinal);

        // In Italy the zero belongs to the number: there it is no trunk prefix.
        return IsValid(region.CallingCode, hasTrunk ? digits[region.Trunk.Length..] : digits, region.Code)
            && (hasTrunk || region.Trunk != "0" || (digits[0] != '0' && MayOmitTrunk(region.Code)));
    }

    // Everywhere else the zero is written, and its absence says that the digits are something else.
    private static bool MayOmitTrunk(string region) => region is "IN" or "BR" or "IT";

    private bool IsValid(int callingCode, ReadOnlySpan<char> national, string? region)
    {
        if (national.Length is < 4 or > MaxDigits)
        {
            return false;
        }

        var number = Number(callingCode, national);
        return region is null ? _numbers.IsValidNumber(number) : _numbers.IsValidNumberForRegion(number, region);
    }

    private static PhoneNumber Number(int callingCode, ReadOnlySpan<char> national)
    {
        var number = new PhoneNumber.Builder()
            .SetCountryCode(callingCode)
            .SetNationalNumber(ulong.Parse(national, CultureInfo.InvariantCulture));
        if (national[0] == '0')
        {
            var zeros = national.IndexOfAnyExcept('0');
            number.SetNumberOfLeadingZeros(zeros < 0 ? national.Length : zeros);
        }

        return number.Build();
    }

    private Region FindRegion(string code)
    {
        var callingCode = _numbers.GetCountryCodeForRegion(code);
        return callingCode > 0
            ? new Region(code, callingCode, _numbers.GetNddPrefixForRegion(code, true) ?? "")
            : throw new ArgumentException(
                $"'{code}' is not a region of libphonenumber; give ISO 3166 codes such as 'DE'");
    }

    /// <param name="Trunk">What is dialled before the number inside the country; empty where there is nothing.</param>
    private readonly record struct Region(string Code, int CallingCode, string Trunk);
}
