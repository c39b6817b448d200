using FeedbackLoop.Runs;
using FeedbackLoop.Scheduling;
using Google.Cloud.Scheduler.V1;
using Google.Protobuf;

namespace FeedbackLoop.GoogleCloud;

/// <summary>A clock of the chain to Cloud Scheduler's message for a job, and back to what differs.</summary>
internal static class SchedulerJobDefinition
{
    /// <summary>Repeats of a publish that failed. Without them the hourly tick would come an hour late.</summary>
    private const int Retries = 3;

    /// <param name="parent"><c>projects/P/locations/L</c>; the topic is in the same project, as Cloud Scheduler wants it.</param>
    public static Job Of(TickJob tick, string project, string parent) => new()
    {
        Name = $"{parent}/jobs/{tick.Id}",
        Description = tick.Description,
        Schedule = tick.Expression,
        TimeZone = tick.TimeZone,
        PubsubTarget = new PubsubTarget
        {
            TopicName = $"projects/{project}/topics/{tick.Topic}",
            Data = ByteString.CopyFromUtf8(tick.Payload),
            Attributes = { [Topics.Attribute] = tick.Topic },
        },
        RetryConfig = new RetryConfig { RetryCount = Retries },
    };

    /// <summary>Paths for the mask of an update, empty when the job is as it should be.</summary>
    /// <remarks>
    /// What Cloud Scheduler fills in by itself does not count, nor does the state: whoever paused a job had a reason. Schedule
    /// and time zone go together, because it checks the two as one and refuses the one without the other
    /// (k8s-config-connector #695).
    /// </remarks>
    public static IReadOnlyList<string> Difference(Job wanted, Job found)
    {
        // A job whose last update failed may not run, and is to be updated until one succeeds (job.proto).
        var isBroken = found.State == Job.Types.State.UpdateFailed;
        List<string> fields = [];
        if (isBroken || found.Description != wanted.Description)
        {
            fields.Add("description");
        }

        if (isBroken || found.Schedule != wanted.Schedule || found.TimeZone != wanted.TimeZone)
        {
            fields.AddRange("schedule", "time_zone");
        }

        if (isBroken || !wanted.PubsubTarget.Equals(found.PubsubTarget))
        {
            fields.Add("pubsub_target");
        }

        if (isBroken || (found.RetryConfig?.RetryCount ?? 0) != wanted.RetryConfig.RetryCount)
        {
            fields.Add("retry_config");
        }

        return fields;
    }
}
