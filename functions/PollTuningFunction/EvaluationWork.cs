using FeedbackLoop.Evaluation;
using FeedbackLoop.Extraction;
using FeedbackLoop.Runs;
using Grpc.Core;

namespace FeedbackLoop.PollTuning;

/// <summary>What is asked and what is answered. Calls run side by side, so it is locked.</summary>
internal sealed class EvaluationWork(
    Run claim, RunId modelId, IReadOnlyList<HeldOutChunk> chunks, IReadOnlyList<EvaluationSubject> subjects,
    IReadOnlyList<EvaluationAnswer> answers)
{
    // So many in a row, and a model is left alone until the next delivery.
    private const int MostFailures = 8;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Role, int Position), EvaluationAnswer> _answers =
        answers.ToDictionary(answer => (answer.Role, answer.Position));
    private readonly List<EvaluationSubject> _subjects = [.. subjects];
    private readonly Dictionary<string, int> _failures = [];
    private readonly HashSet<string> _failed = [];
    private string? _lastFailure;

    public Run Claim => claim;

    public RunId ModelId => modelId;

    public bool HasFailures => _lastFailure is not null;

    public IReadOnlyList<EvaluationSubject> Subjects => _subjects;

    public IReadOnlyList<EvaluationSubject> Present => [.. _subjects.Where(subject => subject.Problem is null)];

    public IReadOnlyList<EvaluationAnswer> Answers => [.. _answers.Values];

    public decimal CostUsd
    {
        get
        {
            lock (_lock)
            {
                return _answers.Values.Sum(answer => answer.CostUsd ?? 0);
            }
        }
    }

    public int Missing => ListMissing().Count;

    public string Trouble => _lastFailure is { } failure ? $": {failure}" : "";

    // A chunk of all models before the next one: what is cut short is cut short for all.
    public IReadOnlyList<(EvaluationSubject Subject, HeldOutChunk Chunk)> ListMissing() =>
    [
        .. chunks.SelectMany(chunk => Present
            .Where(subject => !_answers.ContainsKey((subject.Role, chunk.Position)))
            .Select(subject => (subject, chunk))),
    ];

    public bool HasFailed(string role) => _failed.Contains(role);

    public bool MayAsk(string role)
    {
        lock (_lock)
        {
            return _failures.GetValueOrDefault(role) < MostFailures
                && _subjects.Exists(each => each.Role == role && each.Problem is null);
        }
    }

    /// <returns>Why the model is given up from now on; null when it is asked again.</returns>
    public string? AddFailure(EvaluationSubject subject, Exception failure)
    {
        lock (_lock)
        {
            _lastFailure = failure.Message;
            _failed.Add(subject.Role);
            var failures = _failures[subject.Role] = _failures.GetValueOrDefault(subject.Role) + 1;

            // An endpoint that is deleted stays so; a permission may be late, and the new model's own endpoint too.
            var isGone = failure is ExtractionModelGoneException && subject.Role != ComparedWith.Self
                && (failure.InnerException is RpcException { StatusCode: StatusCode.NotFound } || failures >= MostFailures);
            if (!isGone)
            {
                return null;
            }

            _subjects[_subjects.FindIndex(each => each.Role == subject.Role)] =
                subject with { Problem = failure.Message };
            return failure.Message;
        }
    }

    public void Add(EvaluationAnswer answer)
    {
        lock (_lock)
        {
            _answers[(answer.Role, answer.Position)] = answer;
            _failures.Remove(answer.Role);
        }
    }
}
