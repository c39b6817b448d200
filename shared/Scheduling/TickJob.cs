using System.Text.Json;
using FeedbackLoop.Runs;

namespace FeedbackLoop.Scheduling;

/// <summary>A clock of the chain: a message that Cloud Scheduler publishes again and again.</summary>
/// <param name="Id">The job's name within its project and location.</param>
/// <param name="Expression">Five fields, in <paramref name="TimeZone"/>.</param>
/// <param name="TimeZone">IANA name.</param>
/// <param name="Topic">One of <see cref="Topics"/>; the message's attribute repeats it.</param>
/// <param name="Payload">The message as its receiver decodes it.</param>
public sealed record TickJob(
    string Id, string Description, string Expression, string TimeZone, string Topic, string Payload)
{
    // As the console and gcloud write it; Cloud Scheduler keeps what it is given.
    private const string Utc = "Etc/UTC";

    /// <summary>Every hour: trainings that are due.</summary>
    public static TickJob ScheduleTick { get; } = new(
        "feedback-loop-schedule-tick", "Looks every hour for trainings that are due.", "0 * * * *", Utc,
        Topics.ScheduleTick, JsonSerializer.Serialize(new ScheduleTick(), MessageJson.Default.ScheduleTick));

    /// <summary>Every five minutes: tuning jobs, the outbox, and work that is lost or stuck.</summary>
    public static TickJob Sweep { get; } = new(
        "feedback-loop-sweep", "Looks every five minutes for work that is due, lost or stuck.", "*/5 * * * *", Utc,
        Topics.PollTick, JsonSerializer.Serialize(new PollTick(), MessageJson.Default.PollTick));

    /// <summary>What an installation needs.</summary>
    public static IReadOnlyList<TickJob> All { get; } = [ScheduleTick, Sweep];

    /// <summary>When it is published next, by the clock of this machine.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset now) => CronTimes.Find(Expression, TimeZone)?.NextAfter(now);
}
