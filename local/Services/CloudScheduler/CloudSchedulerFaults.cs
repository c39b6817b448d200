using System.Collections.Concurrent;
using FeedbackLoop.Local.Hosting;
using Grpc.Core;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>The methods that can be refused.</summary>
public enum SchedulerMethod
{
    ListJobs,
    GetJob,
    CreateJob,
    UpdateJob,
    DeleteJob,
    PauseJob,
    ResumeJob,
    RunJob,
}

/// <summary>
/// What the stand-in does wrong. Everything may be changed while it runs; nothing is wrong by default.
/// </summary>
public sealed class CloudSchedulerFaults
{
    private readonly ConcurrentDictionary<SchedulerMethod, ConcurrentQueue<SchedulerRefusal>> _refusals = new();
    private readonly CallCount _failures = new();

    /// <summary>Messages that an attempt publishes: Cloud Scheduler promises at least one.</summary>
    public int Copies { get; set; } = 1;

    /// <summary>Time from the moment at which a job is due to its first attempt.</summary>
    public TimeSpan LateBy { get; set; }

    /// <summary>The next attempts publish nothing and end as UNAVAILABLE.</summary>
    public void FailAttempts(int attempts) => _failures.Set(attempts);

    /// <summary>The next call of a method is answered so, in the order of these calls.</summary>
    /// <param name="isCarriedOut">The call is carried out all the same; only its answer is lost.</param>
    public void Refuse(SchedulerMethod method, StatusCode code, string message, bool isCarriedOut = false) =>
        _refusals.GetOrAdd(method, _ => new ConcurrentQueue<SchedulerRefusal>())
            .Enqueue(new SchedulerRefusal(code, message, isCarriedOut));

    internal SchedulerRefusal? Take(SchedulerMethod method) =>
        _refusals.TryGetValue(method, out var queue) && queue.TryDequeue(out var refusal) ? refusal : null;

    internal bool TakeFailure() => _failures.Take();
}

internal sealed record SchedulerRefusal(StatusCode Code, string Message, bool IsCarriedOut);
