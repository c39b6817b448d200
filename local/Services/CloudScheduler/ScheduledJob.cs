using Google.Cloud.Scheduler.V1;
using Google.Protobuf.WellKnownTypes;

namespace FeedbackLoop.Local.CloudScheduler;

/// <summary>A job, and the timer that waits for its next moment.</summary>
internal sealed class ScheduledJob : IDisposable
{
    // A timer waits for seven weeks at most, and a job may be due in a year.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly Action<ScheduledJob, DateTimeOffset> _fire;
    private readonly ITimer _timer;
    private Job _job;
    private SchedulerTimes _times;

    /// <param name="fire">Called at each moment of the schedule, which it is told.</param>
    public ScheduledJob(Job job, TimeProvider time, Action<ScheduledJob, DateTimeOffset> fire)
    {
        (_job, _time, _fire) = (job, time, fire);
        _times = TimesOf(job);
        _timer = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Change(unchanged => unchanged);
    }

    /// <summary>Held by whoever carries the job out at its time: never two executions at once.</summary>
    public SemaphoreSlim Turn { get; } = new(1);

    public Job Read()
    {
        lock (_lock)
        {
            return _job.Clone();
        }
    }

    /// <summary>Changes the job by what a call asks for, and waits for its next moment from now on.</summary>
    public Job Change(Func<Job, Job> change)
    {
        lock (_lock)
        {
            var changed = change(_job.Clone());
            (_job, _times) = (changed, TimesOf(changed));
            WaitForNext();
            return _job.Clone();
        }
    }

    /// <summary>Notes what became of an attempt.</summary>
    public void Note(Action<Job> note)
    {
        lock (_lock)
        {
            note(_job);
        }
    }

    /// <summary>No more moments; an execution that has begun goes on, and may still wait for its turn.</summary>
    public void Dispose() => _timer.Dispose();

    private static SchedulerTimes TimesOf(Job job) =>
        SchedulerTimes.Find(job) ?? throw new InvalidOperationException($"{job.Name} was kept unchecked");

    private void Wake()
    {
        DateTimeOffset due;
        lock (_lock)
        {
            if (_job.ScheduleTime is not { } next)
            {
                return;
            }

            due = next.ToDateTimeOffset();
            if (due > _time.GetUtcNow())
            {
                Wait(due);
                return;
            }

            WaitForNext();
        }

        _fire(this, due);
    }

    // Moments that went by while nobody looked are one.
    private void WaitForNext()
    {
        var next = _job.State == Job.Types.State.Enabled ? _times.NextAfter(_time.GetUtcNow()) : null;
        _job.ScheduleTime = next is { } moment ? Timestamp.FromDateTimeOffset(moment) : null;
        Wait(next);
    }

    private void Wait(DateTimeOffset? until)
    {
        var wait = until - _time.GetUtcNow();
        _timer.Change(
            wait is { } span ? TimeSpan.FromTicks(Math.Clamp(span.Ticks, 1, LongestWait.Ticks)) : Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }
}
