namespace FeedbackLoop.Pii.Tests;

/// <summary>Dates, amounts, measurements and tables.</summary>
internal static class NegativesOfNumbers
{
    public static string IsoTimestamp(Dice dice)
    {
        var date = $"{dice.Between(1950, 2030)}-{dice.Between(1, 12):D2}-{dice.Between(1, 28):D2}";
        var time = $"{dice.Between(0, 23):D2}:{dice.Between(0, 59):D2}:{dice.Between(0, 59):D2}";
        return dice.Pick(
            $"{date}T{time}Z", $"{date} {time}.{dice.Digits(3)}", $"{date}T{time}.{dice.Digits(7)}+02:00",
            $"call at {date} {time[..5]}",
            $"{Compact(date)}T{Compact(time)}", $"log-{Compact(date)}{Compact(time)}.txt");
    }

    public static string Date(Dice dice)
    {
        var (day, month, year) = (dice.Between(1, 28), dice.Between(1, 12), dice.Between(1900, 2029));
        return dice.Pick(
            $"am {day:D2}.{month:D2}.{year} um 10 Uhr", $"on {month}/{day}/{year} he left",
            $"le {day:D2}/{month:D2}/{year}",
            $"{year}/{month:D2}/{day:D2}", $"{day:D2}-{month:D2}-{year}", $"Contact him on {day:D2}.{month:D2}.{year}.",
            $"{year}{month:D2}{day:D2}", $"from {day:D2}.{month:D2}.{year} - {day:D2}.{month:D2}.{year + 1}",
            $"{day} {month} {year}");
    }

    public static string YearRange(Dice dice)
    {
        var year = dice.Between(1700, 2000);
        return dice.Pick(
            $"between {year}–{year + 12} the town grew", $"({year}-{year + 40})", $"{year}/{year + 1} season",
            $"in {year} {year + 3} and {year + 5}",
            $"{year}—{year + 9}, {year + 11}–{year + 15}", $"J. Doe, {year}-{year + 61}, painter",
            $"call for papers {year}-{year + 2}");
    }

    public static string Epoch(Dice dice) => dice.Pick(
        $"ts=1{dice.Digits(9)}", $"timestamp 1{dice.Digits(12)}", $"{{\"t\":1{dice.Digits(12)}}}",
        $"at 1{dice.Digits(15)} µs", $"1{dice.Digits(18)}");

    public static string Coordinates(Dice dice) => dice.Pick(
        $"{dice.Between(-89, 89)}.{dice.Digits(6)}, {dice.Between(-179, 179)}.{dice.Digits(6)}",
        $"{dice.Digits(2)}.{dice.Digits(4)} {dice.Digits(2)}.{dice.Digits(4)}",
        $"{dice.Digits(2)}°{dice.Digits(2)}′{dice.Digits(2)}″N",
        $"POINT({dice.Digits(2)}.{dice.Digits(7)} {dice.Digits(1)}.{dice.Digits(7)})",
        $"geo:{dice.Digits(2)}.{dice.Digits(5)},{dice.Digits(2)}.{dice.Digits(5)}");

    public static string Price(Dice dice) => dice.Pick(
        $"${dice.Digits(1)},{dice.Digits(3)},{dice.Digits(3)}.00", $"1.{dice.Digits(3)}.{dice.Digits(3)},50 €",
        $"EUR {dice.Digits(8)}",
        $"{dice.Between(1, 9)} {dice.Digits(3)} {dice.Digits(3)} euros",
        $"USD {dice.Digits(3)} {dice.Digits(3)} {dice.Digits(4)}", $"£{dice.Digits(9)}",
        $"CHF 1'{dice.Digits(3)}'{dice.Digits(3)}.-", $"{dice.Digits(7)}.{dice.Digits(2)} USD",
        $"between $300 and $450 in {dice.Between(1990, 2020)}");

    public static string LabFigure(Dice dice) => dice.Pick(
        $"99.99% ({dice.Between(900, 1500)} °C, {dice.Between(1, 48)} h)",
        $"heated at {dice.Between(100, 900)} °C for {dice.Between(10, 90)} min at 10 K min-1",
        $"BaTiO3 (0.{dice.Digits(6)} g, {dice.Digits(1)}.{dice.Digits(4)} mmol)",
        $"2θ = {dice.Digits(2)}.{dice.Digits(3)}, {dice.Digits(2)}.{dice.Digits(3)}",
        $"{dice.Digits(2)}.{dice.Digits(4)}({dice.Digits(2)}) Å",
        $"cell 12.{dice.Digits(2)} 13.{dice.Digits(2)} 14.{dice.Digits(2)}",
        $"contact angle {dice.Digits(2)}.{dice.Digits(2)}°",
        $"mobile phase 20 30 {dice.Digits(2)} v/v", $"1.{dice.Digits(8)} × 10-{dice.Between(3, 19)} m2 s-1",
        $"Mw {dice.Digits(6)} g mol-1", $"{dice.Digits(4)}-{dice.Digits(4)} cm-1");

    public static string TableRow(Dice dice) => dice.Between(0, 4) switch
    {
        0 => string.Join(' ', Enumerable.Range(0, dice.Between(5, 12)).Select(_ => dice.Digits(dice.Between(1, 4)))),
        1 => string.Join('\t', Enumerable.Range(0, dice.Between(5, 9)).Select(_ => dice.Digits(8))),
        2 => string.Join(" | ", Enumerable.Range(0, 6).Select(_ => $"{dice.Digits(2)}.{dice.Digits(3)}")),
        3 => string.Join(' ', Enumerable.Range(0, dice.Between(6, 12)).Select(_ => dice.Between(1000, 9999))),
        _ => string.Join("; ", Enumerable.Range(0, 5).Select(_ => dice.Digits(6))),
    };

    public static string Population(Dice dice) => dice.Pick(
        $"a population of {dice.Between(1, 99)} {dice.Digits(3)} {dice.Digits(3)}",
        $"{dice.Digits(3)}.{dice.Digits(3)}.{dice.Digits(3)} Einwohner",
        $"{dice.Digits(3)},{dice.Digits(3)},{dice.Digits(3)} people", $"{dice.Digits(8)} inhabitants",
        $"about {dice.Between(1, 99)} {dice.Digits(3)} {dice.Digits(3)} of them");

    public static string Score(Dice dice) => dice.Pick(
        $"won 6-4, 7-{dice.Between(5, 6)}, 6-{dice.Between(0, 4)}",
        $"{dice.Between(0, 2)}:{dice.Between(10, 59)}:{dice.Between(10, 59)}.{dice.Digits(2)}",
        $"pp. {dice.Digits(4)}-{dice.Digits(4)}",
        $"vol. {dice.Digits(2)}({dice.Digits(1)}), {dice.Digits(4)}–{dice.Digits(4)}",
        $"ranked {dice.Digits(3)} of {dice.Digits(4)} in 2012",
        $"W {dice.Digits(2)} L {dice.Digits(2)} D {dice.Digits(2)}",
        $"{dice.Digits(3)}-{dice.Digits(3)}-{dice.Digits(2)}");

    public static string BigCount(Dice dice) => dice.Pick(
        $"processed {dice.Digits(8)} rows", $"{dice.Digits(10)} bytes", $"a total of {dice.Digits(9)}",
        $"0.{dice.Digits(16)}", $"pi is 3.14159265358979{dice.Digits(6)}",
        $"{dice.Digits(20)}", $"seed {dice.Digits(9)}", $"x = {dice.Digits(7)}.{dice.Digits(9)}",
        $"value {dice.Digits(9)}", $"0x{dice.Digits(16)}");

    public static string Ratio(Dice dice) => dice.Pick(
        "1:1:1:1:1:1:1:1", $"mixed {dice.Between(1, 9)}:{dice.Between(1, 9)}:{dice.Between(1, 9)}",
        "x[1::2] and y[::1]", "ns::add::face", "12::30",
        $"a{dice.Digits(1)}::b{dice.Digits(1)}", "10:20:30:40",
        $"Genesis {dice.Between(1, 50)}:{dice.Between(1, 30)}-{dice.Between(31, 40)}", "::before { }");

    private static string Compact(string dateOrTime) => string.Concat(dateOrTime.Where(char.IsAsciiDigit));
}
