using FeedbackLoop.Local.Hosting;
using Google.Cloud.Scheduler.V1;
using Google.Protobuf.WellKnownTypes;
using State = Google.Cloud.Scheduler.V1.Job.Types.State;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>All jobs, and the calls that make, show, change and stop them.</summary>
internal sealed class ScheduledJobs(CloudSchedulerOptions options, JobExecutions executions) : IDisposable
{
    private const int LargestPage = 500;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, ScheduledJob> _jobs = new(StringComparer.Ordinal);

    public Job Create(CreateJobRequest request)
    {
        SchedulerRules.CheckParent(request.Parent, options.Locations);
        var job = (request.Job ?? throw RpcErrors.InvalidArgument("job", "The request must contain a job.")).Clone();
        if (job.Name.Length == 0)
        {
            job.Name = $"{request.Parent}/jobs/{Guid.CreateVersion7(options.Time.GetUtcNow())}";
        }

        SchedulerRules.CheckName("job.name", job.Name, options.Locations);
        if (!job.Name.StartsWith(request.Parent + "/jobs/", StringComparison.Ordinal))
        {
            throw RpcErrors.InvalidArgument("job.name", "The job's name must be below the parent.");
        }

        SchedulerRules.Check(job);
        job.State = State.Enabled;
        job.UserUpdateTime = Timestamp.FromDateTimeOffset(options.Time.GetUtcNow());
        (job.Status, job.LastAttemptTime) = (null, null);
        lock (_lock)
        {
            return _jobs.ContainsKey(job.Name)
                ? throw SchedulerErrors.AlreadyExists(job.Name)
                : (_jobs[job.Name] = new ScheduledJob(job, options.Time, executions.Start)).Read();
        }
    }

    public Job Get(string name) => Find("name", name).Read();

    /// <summary>In the order of the names.</summary>
    public (IReadOnlyList<Job> Jobs, string NextToken) List(ListJobsRequest request)
    {
        SchedulerRules.CheckParent(request.Parent, options.Locations);
        lock (_lock)
        {
            var jobs = _jobs.Values.Select(job => job.Read())
                .Where(job => job.Name.StartsWith(request.Parent + "/jobs/", StringComparison.Ordinal));
            var size = request.PageSize <= 0 ? LargestPage : Math.Min(request.PageSize, LargestPage);
            return Paging.Page(jobs, job => job.Name, request.PageToken, size);
        }
    }

    public Job Update(UpdateJobRequest request)
    {
        var change = request.Job ?? throw RpcErrors.InvalidArgument("job", "The request must contain a job.");
        return Find("job.name", change.Name).Change(kept =>
        {
            var merged = SchedulerRules.Merge(kept, change, request.UpdateMask);
            SchedulerRules.Check(merged);
            merged.UserUpdateTime = Timestamp.FromDateTimeOffset(options.Time.GetUtcNow());
            return merged;
        });
    }

    public void Delete(string name)
    {
        var job = Find("name", name);
        lock (_lock)
        {
            _jobs.Remove(name);
        }

        job.Dispose();
    }

    public Job Pause(string name) => Move(name, State.Enabled, State.Paused, "paused");

    public Job Resume(string name) => Move(name, State.Paused, State.Enabled, "resumed");

    public Job Run(string name)
    {
        var job = Find("name", name);
        executions.StartAtOnce(job);
        return job.Read();
    }

    public void Dispose()
    {
        foreach (var job in _jobs.Values)
        {
            job.Dispose();
        }
    }

    private Job Move(string name, State from, State to, string verb) => Find("name", name).Change(job =>
    {
        if (job.State != from)
        {
            throw SchedulerErrors.WrongState(job, verb, from);
        }

        job.State = to;
        return job;
    });

    private ScheduledJob Find(string field, string name)
    {
        SchedulerRules.CheckName(field, name, options.Locations);
        lock (_lock)
        {
            return _jobs.GetValueOrDefault(name) ?? throw SchedulerErrors.NoJob(name);
        }
    }
}
