using Cronos;
using Google.Cloud.Scheduler.V1;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>The moments at which a job is due.</summary>
internal sealed class SchedulerTimes
{
    private readonly CronExpression _expression;
    private readonly TimeZoneInfo _zone;

    private SchedulerTimes(CronExpression expression, TimeZoneInfo zone) => (_expression, _zone) = (expression, zone);

    /// <returns>Null when schedule or time zone cannot be read.</returns>
    public static SchedulerTimes? Find(Job job)
    {
        if (job.Schedule.StartsWith("every ", StringComparison.Ordinal))
        {
            throw SchedulerErrors.NotHere("schedules in English");
        }

        var fields = job.Schedule.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length != 5 || FindZone(job.TimeZone) is not { } zone)
        {
            return null;
        }

        if (fields[2] != "*" && fields[4] != "*")
        {
            // Cronos wants both to match, the real service either.
            throw SchedulerErrors.NotHere("schedules with a day of the month and a day of the week");
        }

        try
        {
            return new SchedulerTimes(CronExpression.Parse(job.Schedule, CronFormat.Standard), zone);
        }
        catch (Exception e) when (e is CronFormatException or MissingSeedException)
        {
            return null;
        }
    }

    /// <returns>Null when there is no such moment, as for the 30th of February.</returns>
    public DateTimeOffset? NextAfter(DateTimeOffset instant) =>
        _expression.GetNextOccurrence(instant.ToUniversalTime(), _zone)?.ToUniversalTime();

    // "For UTC use the string utc. If a time zone is not specified, the default will be in UTC", says job.proto.
    private static TimeZoneInfo? FindZone(string id) =>
        id is "" or "utc" ? TimeZoneInfo.Utc
        : char.IsAsciiLetterUpper(id[0]) && TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone
        : null;
}
