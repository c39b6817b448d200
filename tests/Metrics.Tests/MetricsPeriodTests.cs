namespace FeedbackLoop.Metrics.Tests;

/// <summary>From two dates to the days and weeks that are shown.</summary>
public sealed class MetricsPeriodTests
{
    private static readonly DateOnly Today = new(2026, 11, 26); // a Thursday

    [Fact]
    public void Nothing_said_is_the_last_thirty_days_by_day()
    {
        var period = Read(null, null);

        Assert.Equal((new DateOnly(2026, 10, 28), Today, "day", 30), (period.From, period.To, period.Bucket, period.Starts.Count));
        Assert.Equal(new DateTimeOffset(2026, 10, 28, 0, 0, 0, TimeSpan.Zero), period.Since);
        Assert.Equal(new DateTimeOffset(2026, 11, 27, 0, 0, 0, TimeSpan.Zero), period.Until);
    }

    [Fact]
    public void An_end_alone_is_thirty_days_up_to_it() =>
        Assert.Equal(new DateOnly(2026, 1, 2), Read(null, "2026-01-31").From);

    [Theory]
    [InlineData("2026-11-26", "2026-11-26", "day", 1)]
    [InlineData("2026-08-27", "2026-11-26", "day", 92)]
    [InlineData("2026-08-26", "2026-11-26", "week", 14)]
    [InlineData("2025-11-26", "2026-11-26", "week", 53)]
    public void Long_periods_are_shown_by_weeks(string from, string to, string bucket, int points)
    {
        var period = Read(from, to);

        Assert.Equal((bucket, points), (period.Bucket, period.Starts.Count));
        Assert.Equal(period.From, period.Starts[0]);
        Assert.True(period.Starts[^1] <= period.To);
    }

    [Fact]
    public void Weeks_begin_on_monday_but_for_the_first_which_the_period_cuts()
    {
        var period = Read("2026-08-26", "2026-11-26");

        Assert.All(period.Starts.Skip(1), day => Assert.Equal(DayOfWeek.Monday, day.DayOfWeek));
        Assert.Equal(period.From, period.Start(new DateOnly(2026, 8, 24)));
        Assert.Equal(new DateOnly(2026, 8, 31), period.Start(new DateOnly(2026, 8, 31)));
    }

    [Theory]
    [InlineData("26.11.2026", null, "from must be a date such as 2026-11-26, and is '26.11.2026'")]
    [InlineData("", null, "from must be a date such as 2026-11-26, and is ''")]
    [InlineData(null, "2026-02-30", "to must be a date such as 2026-11-26, and is '2026-02-30'")]
    [InlineData(null, "2026-11-27", "to must be from 2020-01-01 to 2026-11-26, which is today in UTC, and is 2026-11-27")]
    [InlineData("0001-01-01", null, "from must be from 2020-01-01 to 2026-11-26, which is today in UTC, and is 0001-01-01")]
    [InlineData("2026-11-02", "2026-11-01", "from must not be after the last day, 2026-11-01, and is 2026-11-02")]
    [InlineData(
        "2025-11-25", null,
        "from must be one of the 366 days up to 2026-11-26, and is 2025-11-25, 367 days up to it")]
    public void What_is_wrong_is_told_with_field_limit_and_value(string? from, string? to, string message)
    {
        Assert.False(MetricsPeriod.TryRead(from, to, Today, out _, out var errors));

        var error = Assert.Single(errors);
        Assert.Equal((message, message.Split(' ')[0]), (error.Message, error.Field));
    }

    [Fact]
    public void Both_dates_may_be_wrong_at_once_and_the_first_days_are_no_trap()
    {
        Assert.False(MetricsPeriod.TryRead("x", "y", Today, out _, out var errors));

        Assert.Equal(["to", "from"], errors.Select(error => error.Field));
        Assert.False(MetricsPeriod.TryRead(null, "0001-01-01", Today, out _, out _));
        Assert.Equal(new DateOnly(2020, 1, 1), Read(null, "2020-01-05").From);
    }

    private static MetricsPeriod Read(string? from, string? to)
    {
        Assert.True(MetricsPeriod.TryRead(from, to, Today, out var period, out var errors));
        Assert.Empty(errors);
        return period;
    }
}
