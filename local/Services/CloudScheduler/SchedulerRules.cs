using System.Text.RegularExpressions;
using FeedbackLoop.Local.Hosting;
using Google.Cloud.Scheduler.V1;
using Google.Protobuf.WellKnownTypes;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>
/// What Cloud Scheduler accepts. Source: comments of <c>google/cloud/scheduler/v1/job.proto</c>, <c>target.proto</c> and
/// <c>cloudscheduler.proto</c>.
/// </summary>
internal static partial class SchedulerRules
{
    private const int LargestJob = 1_000_000;
    private const int LongestDescription = 500;

    /// <summary>What an update may name; everything else of a job is output only or its name.</summary>
    private static readonly HashSet<string> Fields =
    [
        "description", "schedule", "time_zone", "pubsub_target", "app_engine_http_target", "http_target", "retry_config",
        "attempt_deadline",
    ];

    /// <summary>Project and location of <c>projects/P/locations/L</c>.</summary>
    public static (string Project, string Location) CheckParent(string parent, IReadOnlyList<string> locations)
    {
        var match = ParentPattern().Match(parent);
        if (!match.Success)
        {
            throw RpcErrors.InvalidArgument(
                "parent", "Parent must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>\".");
        }

        var (project, location) = (match.Groups[1].Value, match.Groups[2].Value);
        return locations.Contains(location) ? (project, location) : throw SchedulerErrors.NoLocation(location);
    }

    public static void CheckName(string field, string name, IReadOnlyList<string> locations)
    {
        var match = NamePattern().Match(name);
        if (!match.Success)
        {
            throw RpcErrors.InvalidArgument(
                field,
                "Job name must be formatted: \"projects/<PROJECT_ID>/locations/<LOCATION_ID>/jobs/<JOB_ID>\".");
        }

        CheckParent(match.Groups[1].Value, locations);
    }

    /// <summary>Checks a job as it would be kept, its name included.</summary>
    public static void Check(Job job)
    {
        if (job.Description.Length > LongestDescription)
        {
            throw RpcErrors.InvalidArgument("job.description", "Description must not be longer than 500 characters.");
        }

        if (job.CalculateSize() > LargestJob)
        {
            throw RpcErrors.InvalidArgument("job", "Job size exceeds the limit of 1 MB.");
        }

        if (job.RetryConfig is { RetryCount: < 0 or > 5 })
        {
            throw RpcErrors.InvalidArgument("job.retry_config.retry_count", "Retry count must be from 0 to 5.");
        }

        CheckTarget(job);

        // The service says no more than this about either (google-cloud-go #1352).
        if (SchedulerTimes.Find(job) is null)
        {
            throw RpcErrors.InvalidArgument("job.schedule", "Schedule or time zone is invalid.");
        }
    }

    /// <summary>The job with the masked fields of another; without a mask, with those that the other has.</summary>
    public static Job Merge(Job kept, Job change, FieldMask? mask)
    {
        IReadOnlyList<string> paths =
            [.. mask is { Paths.Count: > 0 } ? mask.Paths : Fields.Where(field => Has(change, field))];
        if (paths.FirstOrDefault(path => !IsField(path)) is { } unknown)
        {
            throw RpcErrors.InvalidArgument("update_mask", $"Invalid mask for Job: {unknown}");
        }

        var merged = kept.Clone();
        new FieldMask { Paths = { paths } }.Merge(change, merged, new FieldMask.MergeOptions
        {
            ReplaceMessageFields = true,
            ReplaceRepeatedFields = true,
            ReplacePrimitiveFields = true,
        });
        return merged;
    }

    private static bool IsField(string path) =>
        Fields.Contains(path.Split('.')[0]) && FieldMask.IsValid<Job>(path);

    private static bool Has(Job job, string field)
    {
        var descriptor = Job.Descriptor.FindFieldByName(field);
        return descriptor.HasPresence ? descriptor.Accessor.HasValue(job) : descriptor.Accessor.GetValue(job) is not "";
    }

    private static void CheckTarget(Job job)
    {
        if (job.HttpTarget is not null || job.AppEngineHttpTarget is not null)
        {
            throw SchedulerErrors.NotHere("targets but Pub/Sub");
        }

        if (job.PubsubTarget is not { } target)
        {
            throw RpcErrors.InvalidArgument("job.target", "A job must have a target.");
        }

        var match = TopicPattern().Match(target.TopicName);
        if (!match.Success)
        {
            throw RpcErrors.InvalidArgument(
                "job.pubsub_target.topic_name", "Topic name must be formatted: \"projects/<PROJECT_ID>/topics/<TOPIC_ID>\".");
        }

        if (match.Groups[1].Value != job.Name.Split('/')[1])
        {
            throw RpcErrors.InvalidArgument(
                "job.pubsub_target.topic_name", "The topic must be in the same project as the job.");
        }

        if (target.Data.IsEmpty && target.Attributes.Count == 0)
        {
            throw RpcErrors.InvalidArgument(
                "job.pubsub_target.data", "The message must contain either non-empty data, or at least one attribute.");
        }
    }

    [GeneratedRegex("^projects/([A-Za-z0-9:.-]+)/locations/([a-z0-9-]+)$")]
    private static partial Regex ParentPattern();

    [GeneratedRegex("^(projects/[A-Za-z0-9:.-]+/locations/[a-z0-9-]+)/jobs/[A-Za-z0-9_-]{1,500}$")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^projects/([A-Za-z0-9:.-]+)/topics/(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}$")]
    private static partial Regex TopicPattern();
}
