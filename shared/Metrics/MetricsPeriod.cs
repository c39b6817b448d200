using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Metrics;

/// <summary>Days (UTC) whose extractions are looked at, both ends among them.</summary>
public sealed record MetricsPeriod
{
    /// <summary>When nothing is said: today and the days before it.</summary>
    public const int UsualDays = 30;

    public const int MostDays = 366;

    /// <summary>A longer period is shown by weeks, so that there are never more than about a hundred points.</summary>
    private const int MostDaysByDay = 92;

    private const string Form = "yyyy-MM-dd";

    // Before it there were no such models; a bound keeps the arithmetic of days within the calendar.
    private static readonly DateOnly Earliest = new(2020, 1, 1);

    private MetricsPeriod(DateOnly from, DateOnly to) => (From, To) = (from, to);

    public DateOnly From { get; }

    public DateOnly To { get; }

    /// <summary><c>day</c>, or <c>week</c> from Monday on.</summary>
    public string Bucket => IsByWeek ? "week" : "day";

    public bool IsByWeek => Days(From, To) > MostDaysByDay;

    /// <summary>First moment of the period.</summary>
    public DateTimeOffset Since => Midnight(From);

    /// <summary>First moment after it.</summary>
    public DateTimeOffset Until => Midnight(To.AddDays(1));

    /// <summary>First days of the buckets, in order. Of a week that began before the period, its first day in the period.</summary>
    public IReadOnlyList<DateOnly> Starts
    {
        get
        {
            var starts = new List<DateOnly>();
            for (var day = IsByWeek ? MondayOf(From) : From; day <= To; day = day.AddDays(IsByWeek ? 7 : 1))
            {
                starts.Add(Start(day));
            }

            return starts;
        }
    }

    /// <param name="from">As a person wrote it; null: <see cref="UsualDays"/> days up to <paramref name="to"/>.</param>
    /// <param name="to">Null: today.</param>
    /// <param name="errors">What is wrong with the fields <c>from</c> and <c>to</c>; empty when nothing is.</param>
    public static bool TryRead(
        string? from, string? to, DateOnly today, [NotNullWhen(true)] out MetricsPeriod? period,
        out IReadOnlyList<FieldError> errors)
    {
        var found = new List<FieldError>();
        var last = ReadDay("to", to, today, found) ?? today;
        var first = ReadDay("from", from, today, found)
            ?? (last.DayNumber - Earliest.DayNumber < UsualDays ? Earliest : last.AddDays(1 - UsualDays));
        if (found.Count == 0 && first > last)
        {
            found.Add(new("from", $"from must not be after the last day, {Text(last)}, and is {Text(first)}"));
        }
        else if (found.Count == 0 && Days(first, last) > MostDays)
        {
            found.Add(new(
                "from",
                $"from must be one of the {MostDays} days up to {Text(last)}, and is {Text(first)}, {Days(first, last)} days up to it"));
        }

        (period, errors) = (found.Count == 0 ? new MetricsPeriod(first, last) : null, found);
        return period is not null;
    }

    /// <summary>The day that a bucket is known by.</summary>
    /// <param name="day">First day of the bucket, in the period or before it.</param>
    public DateOnly Start(DateOnly day) => day < From ? From : day;

    private static DateOnly? ReadDay(string field, string? text, DateOnly today, List<FieldError> errors)
    {
        if (text is null)
        {
            return null;
        }

        if (!DateOnly.TryParseExact(text, Form, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            errors.Add(new(field, $"{field} must be a date such as {Text(today)}, and is '{Shown(text)}'"));
            return null;
        }

        if (day < Earliest || day > today)
        {
            errors.Add(new(
                field, $"{field} must be from {Text(Earliest)} to {Text(today)}, which is today in UTC, and is {Text(day)}"));
        }

        return day;
    }

    private static int Days(DateOnly from, DateOnly to) => to.DayNumber - from.DayNumber + 1;

    private static DateOnly MondayOf(DateOnly day) => day.AddDays(-(((int)day.DayOfWeek + 6) % 7));

    private static DateTimeOffset Midnight(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);

    private static string Text(DateOnly day) => day.ToString(Form, CultureInfo.InvariantCulture);

    private static string Shown(string value) => value.Length <= 50 ? value : value[..50] + "…";
}
