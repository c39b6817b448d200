using System.Collections.Concurrent;
using FeedbackLoop.Local.Hosting;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>
/// In what order tuning jobs are listed. The real service's is documented nowhere; <see cref="Mixed"/> follows no time
/// at all.
/// </summary>
public enum TuningJobOrder
{
    NewestFirst,
    OldestFirst,
    Mixed,
}

/// <summary>
/// What the stand-in does wrong. Everything may be changed while it runs; nothing is wrong by default.
/// </summary>
public sealed class VertexAiFaults
{
    private readonly ConcurrentDictionary<VertexMethod, ConcurrentQueue<VertexAnswer>> _answers = new();
    private readonly ConcurrentQueue<(JobState State, string Message)> _ends = new();
    private readonly ConcurrentQueue<(string Text, Candidate.Types.FinishReason Finish)> _texts = new();
    private readonly ConcurrentQueue<int> _iamAnswers = new();
    private readonly ConcurrentDictionary<(VertexMethod Method, string Name), StatusCode> _closedJobs = new();
    private readonly CallCount _lostCancels = new();

    /// <summary>A job that is younger than this does not appear in a list.</summary>
    public TimeSpan ListLag { get; set; }

    /// <summary>Holds for the pages that are read from now on.</summary>
    public TuningJobOrder ListOrder { get; set; }

    /// <summary>What each page of a list takes, by the clock of <see cref="VertexAiOptions.Time"/>.</summary>
    public TimeSpan PageLatency { get; set; }

    /// <summary>A page token that is older is INVALID_ARGUMENT. Null: it lives for ever.</summary>
    public TimeSpan? PageTokenLife { get; set; }

    /// <summary>A job that is younger than this is NOT_FOUND.</summary>
    public TimeSpan GetLag { get; set; }

    /// <summary>
    /// Jobs that may be pending or running at a time; one more is RESOURCE_EXHAUSTED. Null: any number.
    /// </summary>
    public int? MaxConcurrentJobs { get; set; }

    /// <summary>
    /// Appends answers to the queue of a method: each call takes one, and is plain when there is none.
    /// </summary>
    public void Script(VertexMethod method, params ReadOnlySpan<VertexAnswer> answers)
    {
        var queue = _answers.GetOrAdd(method, _ => new ConcurrentQueue<VertexAnswer>());
        foreach (var answer in answers)
        {
            queue.Enqueue(answer);
        }
    }

    /// <summary>How the next job that is created ends, in the order of these calls.</summary>
    /// <param name="state">
    /// Failed, Cancelled, Expired, PartiallySucceeded (with a model), or Running: it then never ends by itself.
    /// </param>
    public void EndNextJob(JobState state, string message) => _ends.Enqueue((state, message));

    /// <summary>
    /// The next cancellations come too late: the job is "cancelling", and then ends as if nothing had been.
    /// </summary>
    public void CancelLosesRace(int times) => _lostCancels.Set(times);

    /// <summary>
    /// From now on this method refuses a job with this code, for ever. The job is listed all the same.
    /// </summary>
    /// <param name="method">GetTuningJob or CancelTuningJob.</param>
    public void CloseJob(string name, VertexMethod method, StatusCode code) => _closedJobs[(method, name)] = code;

    /// <summary>The next GenerateContent answers this text, whatever the model would say.</summary>
    public void GenerateNext(string text, Candidate.Types.FinishReason finish) => _texts.Enqueue((text, finish));

    /// <summary>The next request for an access token is answered with this HTTP status.</summary>
    public void AnswerIam(int status) => _iamAnswers.Enqueue(status);

    internal StatusCode? FindClosed(string name, VertexMethod method) =>
        _closedJobs.TryGetValue((method, name), out var code) ? code : null;

    internal VertexAnswer? Take(VertexMethod method) =>
        _answers.TryGetValue(method, out var queue) && queue.TryDequeue(out var answer) ? answer : null;

    internal (JobState State, string Message)? TakeEnd() => _ends.TryDequeue(out var end) ? end : null;

    internal (string Text, Candidate.Types.FinishReason Finish)? TakeText() =>
        _texts.TryDequeue(out var text) ? text : null;

    internal int? TakeIamAnswer() => _iamAnswers.TryDequeue(out var status) ? status : null;

    internal bool TakeLostCancel() => _lostCancels.Take();
}
