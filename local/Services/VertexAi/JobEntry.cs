using System.Globalization;
using Google.Cloud.AIPlatform.V1;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>One tuning job: what the service tells of it, and how it is stopped.</summary>
/// <param name="project">As the caller wrote it: id or number.</param>
/// <param name="scriptedEnd">Null for a job that ends well.</param>
/// <param name="save">Called after each change, under the lock.</param>
internal sealed class JobEntry(
    TuningJob job, string project, string location, (JobState State, string Message)? scriptedEnd,
    Action<TuningJob> save) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<TuningJob> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Never changes, like <see cref="CreatedAt"/>: to be read without the lock.</summary>
    public string Name { get; } = job.Name;

    /// <summary>The last part of the name. Grows with time.</summary>
    public long Id { get; } = long.Parse(job.Name[(job.Name.LastIndexOf('/') + 1)..], CultureInfo.InvariantCulture);

    public DateTimeOffset CreatedAt { get; } = job.CreateTime.ToDateTimeOffset();

    public string Project => project;

    public string Location => location;

    public (JobState State, string Message)? ScriptedEnd => scriptedEnd;

    /// <summary>Cancelled when the job shall be.</summary>
    public CancellationTokenSource Stop { get; } = new();

    /// <summary>Completes with the job when its state is final.</summary>
    public Task<TuningJob> Ended => _ended.Task;

    public TuningJob Read()
    {
        lock (_lock)
        {
            return job.Clone();
        }
    }

    /// <param name="change">Returns false to leave the job as it is.</param>
    /// <returns>Whether it was changed; a job in a final state never is.</returns>
    public bool Change(Func<TuningJob, bool> change)
    {
        lock (_lock)
        {
            if (IsFinal(job.State) || !change(job))
            {
                return false;
            }

            save(job);
            SettleIfFinal();
            return true;
        }
    }

    /// <summary>For a job that comes from the data directory.</summary>
    public void SettleIfFinal()
    {
        if (IsFinal(job.State))
        {
            _ended.TrySetResult(job.Clone());
        }
    }

    public void Dispose() => Stop.Dispose();

    public static bool IsFinal(JobState state) => state
        is JobState.Succeeded or JobState.PartiallySucceeded
        or JobState.Failed or JobState.Cancelled or JobState.Expired;
}
