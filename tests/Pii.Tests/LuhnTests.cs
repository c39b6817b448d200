using CsCheck;

namespace FeedbackLoop.Pii.Tests;

public sealed class LuhnTests
{
    private static readonly Gen<string> ValidNumber =
        from length in Gen.Int[12, 19]
        from seed in Gen.Int
        select CardSamples.Number(new Dice(seed), "", length);

    [Fact]
    public void A_number_with_its_check_digit_is_valid() => ValidNumber.Sample(number => Luhn.IsValid(number));

    [Fact]
    public void Every_change_of_one_digit_is_noticed() => ValidNumber.Sample(number =>
    {
        for (var at = 0; at < number.Length; at++)
        {
            for (var digit = '0'; digit <= '9'; digit++)
            {
                if (digit != number[at] && Luhn.IsValid(number[..at] + digit + number[(at + 1)..]))
                {
                    return false;
                }
            }
        }

        return true;
    });
}
