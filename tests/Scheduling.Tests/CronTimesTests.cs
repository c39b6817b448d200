using CsCheck;

namespace FeedbackLoop.Scheduling.Tests;

/// <summary>Slots as instants, where clocks change, years leap, and ticks do not come.</summary>
public sealed class CronTimesTests
{
    private static readonly string[] Zones =
        ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"];

    [Theory]
    // The hour that Berlin jumps over: 02:30 is at 03:00, once.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z")]
    // The hour that Berlin has twice: the first one.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z")]
    [InlineData("30 2 * * *", "America/New_York", "2026-03-08T05:00Z", "2026-03-08T07:00Z", "2026-03-09T06:30Z")]
    [InlineData("30 1 * * *", "America/New_York", "2026-10-31T12:00Z", "2026-11-01T05:30Z", "2026-11-02T06:30Z")]
    // Lord Howe moves by half an hour.
    [InlineData("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00Z", "2026-10-03T15:30Z", "2026-10-04T15:15Z")]
    [InlineData("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00Z", "2026-04-04T14:45Z", "2026-04-05T15:15Z")]
    // Kathmandu is 5:45 ahead and has no summer time.
    [InlineData("0 6 * * *", "Asia/Kathmandu", "2026-03-28T12:00Z", "2026-03-29T00:15Z", "2026-03-30T00:15Z")]
    // Leap days, and a month's last day.
    [InlineData("0 0 29 2 *", "UTC", "2026-01-01T00:00Z", "2028-02-29T00:00Z", "2032-02-29T00:00Z")]
    [InlineData("0 0 29 2 *", "UTC", "2096-01-01T00:00Z", "2096-02-29T00:00Z", null)]
    [InlineData("0 12 L 2 *", "UTC", "2027-01-01T00:00Z", "2027-02-28T12:00Z", "2028-02-29T12:00Z")]
    // Both must match: the next Friday the 13th.
    [InlineData("0 0 13 * 5", "UTC", "2026-01-01T00:00Z", "2026-02-13T00:00Z", "2026-03-13T00:00Z")]
    public void The_next_two_slots_are(string expression, string zone, string after, string first, string? second)
    {
        var slots = Times(expression, zone).Following(At(after), 2).ToArray();

        Assert.Equal(At(first), slots[0]);
        Assert.All(slots, slot => Assert.Equal(TimeSpan.Zero, slot.Offset));
        if (second is not null)
        {
            Assert.Equal(At(second), slots[1]);
        }
    }

    [Theory]
    [InlineData("Europe/Berlin")]
    [InlineData("America/New_York")]
    [InlineData("Australia/Lord_Howe")]
    [InlineData("Asia/Kathmandu")]
    public void A_daily_schedule_fires_once_a_day_over_ten_years_whatever_the_clocks_do(string zone)
    {
        foreach (var time in (string[])["30 0", "45 1", "0 2", "15 2", "59 2", "0 3"])
        {
            var days = Times($"{time} * * *", zone)
                .Following(At("2024-12-31T12:00Z"), 3650)
                .Select(slot => TimeZoneInfo.ConvertTime(slot, TimeZoneInfo.FindSystemTimeZoneById(zone)).Date)
                .ToArray();

            Assert.Equal(3650, days.Distinct().Count());
            Assert.Equal(3649, (days[^1] - days[0]).Days);
        }
    }

    [Fact]
    public void The_next_five_are_in_order_and_later_than_now()
    {
        var slots = Times("0 0 * * 1", "UTC").Following(At("2026-03-02T00:00Z"), 5);

        Assert.Equal(
            ["2026-03-09", "2026-03-16", "2026-03-23", "2026-03-30", "2026-04-06"],
            slots.Select(slot => slot.ToString("yyyy-MM-dd", null)));
    }

    [Fact]
    public void Three_days_of_downtime_leave_one_slot()
    {
        var missed = Times("0 2 * * *", "Europe/Berlin").LatestMissed(At("2026-03-28T01:00Z"), At("2026-03-30T12:00Z"));

        Assert.Equal(new MissedSlots(At("2026-03-30T00:00Z"), 2), missed);
    }

    [Fact]
    public void A_slot_is_missed_from_its_own_instant_on()
    {
        var times = Times("0 2 * * *", "UTC");
        var slot = At("2026-03-28T02:00Z");

        Assert.Null(times.LatestMissed(slot, slot.AddTicks(-1)));
        Assert.Equal(new MissedSlots(slot, 0), times.LatestMissed(slot, slot));
    }

    [Fact]
    public void A_slot_at_the_end_of_a_jump_is_missed_like_any_other()
    {
        var slot = At("2026-03-29T01:00Z");

        Assert.Equal(
            new MissedSlots(slot, 0), Times("9 2,14 * * *", "Europe/Berlin").LatestMissed(slot, slot.AddMinutes(29)));
    }

    [Fact]
    public void A_clock_that_went_back_finds_nothing_missed() =>
        Assert.Null(Times("0 2 * * *", "UTC").LatestMissed(At("2026-03-28T02:00Z"), At("2026-03-20T02:00Z")));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("* * * *")]
    [InlineData("* * * * * *")]
    [InlineData("60 0 * * *")]
    [InlineData("@daily")]
    [InlineData("@every_minute")]
    [InlineData("H 2 * * *")]
    [InlineData("H(0-29) 2 * * *")]
    [InlineData("nonsense")]
    public void What_is_not_five_fixed_fields_is_no_expression(string? expression) =>
        Assert.Null(CronTimes.FindExpression(expression));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Europe/Nowhere")]
    [InlineData("localtime")]
    [InlineData("posix/Europe/Berlin")]
    [InlineData("right/Europe/Berlin")]
    [InlineData("Europe/../Europe/Berlin")]
    [InlineData("/etc/localtime")]
    [InlineData("Europe/Berlin\0")]
    public void What_is_no_name_of_a_zone_is_no_zone(string? id) => Assert.Null(CronTimes.FindZone(id));

    [Fact]
    public void No_text_does_anything_but_parse_or_not() =>
        Gen.OneOf(
                Gen.String,
                Gen.OneOf("0123456789*/,-LWH#?@ ()R\t".ToCharArray()).Array[0, 40].Select(text => new string(text)),
                Gen.OneOf("0", "*", "H", "*/7", "1-5", "L", "LW", "31", "FRI#2", "H/3", "H(1-5)").Array[5]
                    .Select(fields => string.Join(' ', fields)))
            .Sample(text => _ = CronTimes.Find(text, "Europe/Berlin"), iter: 20_000);

    [Fact]
    public void The_latest_missed_slot_is_the_last_of_all_between() =>
        Gen.Select(Expressions, Gen.OneOf(Zones), Gen.Int[0, 3_000_000], Gen.Int[0, 400_000])
            .Sample(
                (expression, zone, start, minutes) =>
                {
                    var times = Times(expression, zone);
                    var from = At("2026-01-01T00:00Z").AddMinutes(start);
                    var to = from.AddMinutes(minutes);
                    var all = times.Following(from.AddTicks(-1), int.MaxValue).TakeWhile(slot => slot <= to).ToArray();

                    var missed = times.LatestMissed(from, to);

                    Assert.Equal(all.Length == 0 ? null : new MissedSlots(all[^1], all.Length - 1), missed);
                },
                iter: 300);

    /// <summary>Expressions that a schedule may have.</summary>
    internal static Gen<string> Expressions { get; } = Gen.Select(
        Gen.Int[0, 59],
        Gen.OneOf(Gen.Int[0, 23].Select(hour => $"{hour}"), Gen.Int[0, 11].Select(hour => $"{hour},{hour + 12}")),
        Gen.OneOf("* * *", "* * 1", "1 * *", "L * *", "1,15 * *", "* * 1-5", "29 2 *"),
        (minute, hour, days) => $"{minute} {hour} {days}");

    internal static CronTimes Times(string expression, string zone) =>
        CronTimes.Find(expression, zone) ?? throw new ArgumentException($"'{expression}' in {zone} cannot be read");

    internal static DateTimeOffset At(string text) =>
        DateTimeOffset.Parse(text, null, System.Globalization.DateTimeStyles.AssumeUniversal);
}
