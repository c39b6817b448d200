namespace FeedbackLoop.Pii;

/// <summary>The check digit of payment cards (ISO/IEC 7812-1, annex B).</summary>
internal static class Luhn
{
    /// <summary>Whether the ASCII digits, the last of them the check digit, add up.</summary>
    public static bool IsValid(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        var isDoubled = false;
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            var digit = digits[i] - '0';
            if (isDoubled)
            {
                digit = digit > 4 ? (digit * 2) - 9 : digit * 2;
            }

            sum += digit;
            isDoubled = !isDoubled;
        }

        return sum % 10 == 0;
    }
}
