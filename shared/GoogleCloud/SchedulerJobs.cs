using FeedbackLoop.Scheduling;
using Google.Cloud.Scheduler.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace FeedbackLoop.GoogleCloud;

/// <summary>What it takes to make a job what it should be.</summary>
public static class JobChange
{
    public const string None = "none";
    public const string Create = "create";
    public const string Update = "update";
}

/// <summary>A clock of the chain as it stands in Cloud Scheduler.</summary>
/// <param name="Name"><c>projects/P/locations/L/jobs/ID</c></param>
/// <param name="Change">One of <see cref="JobChange"/>: what was done, or in a dry run what would be.</param>
/// <param name="Fields">What an update changes, as Cloud Scheduler names it; else empty.</param>
/// <param name="IsEnabled">False when somebody paused the job, or Cloud Scheduler disabled it: it does not run.</param>
/// <param name="State">In Cloud Scheduler's words, such as <c>Paused</c>; null when there is no job yet.</param>
/// <param name="NextAt">Null when the job does not run.</param>
public sealed record SyncedJob(
    TickJob Tick, string Name, string Change, IReadOnlyList<string> Fields, bool IsEnabled, string? State,
    DateTimeOffset? NextAt);

/// <summary>Makes the jobs of Cloud Scheduler what they should be. Safe to repeat, and to start several times at once.</summary>
/// <param name="client">On a channel without retries: they are here.</param>
/// <param name="location">Where the jobs are, such as <c>us-central1</c>.</param>
public sealed class SchedulerJobs(
    CloudScheduler.CloudSchedulerClient client, string project, string location, TimeProvider time)
{
    private const int Attempts = 4;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private readonly string _parent = $"projects/{project}/locations/{location}";

    /// <summary>Wait before the first repeat; it doubles. A test has no second to wait.</summary>
    internal TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <param name="isDryRun">Reads, and changes nothing.</param>
    /// <exception cref="SchedulerException">Refused, or not reached in several attempts.</exception>
    public async Task<SyncedJob> SyncAsync(TickJob tick, bool isDryRun, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await SyncOnceAsync(tick, isDryRun, cancellationToken);
            }
            catch (RpcException e) when (IsWorthRepeating(e.StatusCode) && attempt < Attempts
                && !cancellationToken.IsCancellationRequested)
            {
                // From the start: the call may have been carried out although its answer never came.
                await Task.Delay(FirstPause * Math.Pow(2, attempt - 1), time, cancellationToken);
            }
            catch (RpcException e) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(e.Status.Detail, e, cancellationToken);
            }
            catch (RpcException e)
            {
                throw SchedulerException.Of(e, tick.Id, project, location);
            }
        }
    }

    // ALREADY_EXISTS answers a creation: somebody else was quicker, and that job is to be looked at.
    private static bool IsWorthRepeating(StatusCode code) =>
        code is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.AlreadyExists;

    private async Task<SyncedJob> SyncOnceAsync(TickJob tick, bool isDryRun, CancellationToken cancellationToken)
    {
        var wanted = SchedulerJobDefinition.Of(tick, project, _parent);
        var found = await FindAsync(wanted.Name, cancellationToken);
        var fields = found is null ? [] : SchedulerJobDefinition.Difference(wanted, found);
        var change = (found, fields) switch
        {
            (null, _) => JobChange.Create,
            (_, []) => JobChange.None,
            _ => JobChange.Update,
        };
        var job = (change, isDryRun) switch
        {
            (JobChange.Create, false) => await CreateAsync(wanted, cancellationToken),
            (JobChange.Update, false) => await UpdateAsync(wanted, fields, cancellationToken),
            _ => found,
        };
        var isEnabled = job is null or { State: not (Job.Types.State.Paused or Job.Types.State.Disabled) };

        // Cloud Scheduler's own time belongs to the schedule that it has, which an update yet to come replaces.
        var isKnown = !isDryRun || change == JobChange.None;
        var next = isKnown ? job?.ScheduleTime?.ToDateTimeOffset() : null;
        return new SyncedJob(
            tick, wanted.Name, change, fields, isEnabled, job?.State.ToString(),
            isEnabled ? next ?? tick.NextAfter(time.GetUtcNow()) : null);
    }

    private async Task<Job?> FindAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetJobAsync(
                new GetJobRequest { Name = name }, Headers("name", name), Deadline, cancellationToken);
        }
        catch (RpcException e) when (e.StatusCode == StatusCode.NotFound)
        {
            // Also for a project or location that does not exist; the creation then says so.
            return null;
        }
    }

    private async Task<Job> CreateAsync(Job wanted, CancellationToken cancellationToken) => await client.CreateJobAsync(
        new CreateJobRequest { Parent = _parent, Job = wanted }, Headers("parent", _parent), Deadline, cancellationToken);

    private async Task<Job> UpdateAsync(Job wanted, IReadOnlyList<string> fields, CancellationToken cancellationToken) =>
        await client.UpdateJobAsync(
            new UpdateJobRequest { Job = wanted, UpdateMask = new FieldMask { Paths = { fields } } },
            Headers("job.name", wanted.Name), Deadline, cancellationToken);

    // Google's front end routes by this header; the generated stub does not send it by itself.
    private static Metadata Headers(string field, string value) =>
        new() { { "x-goog-request-params", $"{field}={Uri.EscapeDataString(value)}" } };

    private DateTime Deadline => time.GetUtcNow().UtcDateTime + Timeout;
}
