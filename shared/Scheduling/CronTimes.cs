using Cronos;

namespace FeedbackLoop.Scheduling;

/// <summary>Moments at which a schedule should have started a run and did not.</summary>
/// <param name="Latest">The one that a run is started for.</param>
/// <param name="Earlier">How many came before it and are not made up for.</param>
public sealed record MissedSlots(DateTimeOffset Latest, int Earlier);

/// <summary>The moments of a cron expression in a time zone, as UTC instants.</summary>
/// <remarks>
/// As Cronos has it: a time that the clocks jump over fires at the end of the jump; a daily time that comes twice fires the
/// first time; day of month and day of week must both match, where the cron of Unix takes either.
/// </remarks>
public sealed class CronTimes
{
    /// <summary>Longest name of a zone in the IANA database is 32; a path or a message is none.</summary>
    private const int LongestZone = 64;

    private readonly CronExpression _expression;
    private readonly TimeZoneInfo _zone;

    private CronTimes(CronExpression expression, TimeZoneInfo zone) => (_expression, _zone) = (expression, zone);

    public string TimeZone => _zone.Id;

    /// <summary>Null when either cannot be read, by <see cref="FindExpression"/> and <see cref="FindZone"/>.</summary>
    public static CronTimes? Find(string? expression, string? timeZone) =>
        FindExpression(expression) is { } parsed && FindZone(timeZone) is { } zone ? new(parsed, zone) : null;

    /// <summary>Five fields, without macros such as <c>@daily</c> and without <c>H</c>, which means another time per seed.</summary>
    public static CronExpression? FindExpression(string? expression)
    {
        if (expression is null || expression.Length > ScheduleRules.LongestExpression || expression.Contains('@'))
        {
            return null;
        }

        // TryParse lets the exception for an expression without its seed through, which is no CronFormatException.
        try
        {
            return CronExpression.Parse(expression, CronFormat.Standard);
        }
        catch (Exception e) when (e is CronFormatException or MissingSeedException)
        {
            return null;
        }
    }

    /// <summary>A zone by its IANA name, such as <c>Europe/Berlin</c>.</summary>
    public static TimeZoneInfo? FindZone(string? id)
    {
        // The name becomes a path below the zone files; "right" counts leap seconds, which no clock here does.
        if (id is null or { Length: 0 or > LongestZone }
            || !char.IsAsciiLetterUpper(id[0])
            || !id.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+'))
        {
            return null;
        }

        return TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : null;
    }

    /// <summary>The first moment later than <paramref name="instant"/>; null when there is none that can be told.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset instant) =>
        _expression.GetNextOccurrence(instant.ToUniversalTime(), _zone)?.ToUniversalTime();

    /// <summary>The next moments, at most <paramref name="count"/>, in order.</summary>
    public IEnumerable<DateTimeOffset> Following(DateTimeOffset instant, int count)
    {
        for (var next = NextAfter(instant); next is { } moment && count > 0; next = NextAfter(moment), count--)
        {
            yield return moment;
        }
    }

    /// <summary>The latest moment from <paramref name="first"/> to <paramref name="now"/>, both included.</summary>
    /// <returns>Null when there is none, also when the clock went back and <paramref name="now"/> is the earlier one.</returns>
    public MissedSlots? LatestMissed(DateTimeOffset first, DateTimeOffset now)
    {
        // Not "from first on, inclusive": the end of a jump of the clocks is a slot only for who comes from before it.
        MissedSlots? missed = null;
        for (var slot = NextAfter(first.AddTicks(-1)); slot <= now; slot = NextAfter(slot.Value))
        {
            missed = new(slot.Value, missed is null ? 0 : missed.Earlier + 1);
        }

        return missed;
    }

    /// <summary>The same moment with the offset that the schedule's zone has then.</summary>
    public DateTimeOffset InZone(DateTimeOffset instant) => TimeZoneInfo.ConvertTime(instant, _zone);

    /// <summary>A moment for people, in the schedule's zone.</summary>
    public string InWords(DateTimeOffset instant) =>
        FormattableString.Invariant($"{InZone(instant):yyyy-MM-dd HH:mm} {_zone.Id}");
}
