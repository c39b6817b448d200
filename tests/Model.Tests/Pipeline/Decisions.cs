using System.Globalization;
using FeedbackLoop.Runs;
using FeedbackLoop.Tuning;
using Grpc.Core;

namespace FeedbackLoop.Model.Pipeline;

internal enum Verdict : byte
{
    AdoptJobOfFirst,
    AdoptJobOfSecond,
    LookAgain,
    Burn,
    ConcludeAbsent,
    AskOperator,
}

/// <summary>
/// The product's own pure decisions, asked with rows that stand for a state of the model. Each question is asked once
/// and its
/// answer kept: there are a few hundred, and millions of states.
/// </summary>
internal sealed class Decisions(Bounds bounds)
{
    private const string Environment = "model";
    private static readonly RunId Run = RunId.New(DateTimeOffset.UnixEpoch);

    private readonly Dictionary<(Listing, AttemptStep, AttemptStep, int), Verdict> _verdicts = [];
    private readonly Dictionary<(Call, int, int, bool), bool> _refusals = [];
    private readonly Dictionary<(AttemptStep, bool), bool> _files = [];

    /// <summary>What the sweep does about the attempt that <paramref name="listing"/> began with.</summary>
    /// <param name="job">Of which attempt the list holds a job: 0 for none, 1, 2.</param>
    public Verdict Settle(in PipelineState state, Listing listing, int job)
    {
        var key = (listing & ~Listing.HadJob, state.First.Step, state.Second.Step, job);
        if (!_verdicts.TryGetValue(key, out var verdict))
        {
            _verdicts[key] = verdict = Settle(listing, [state.First.Step, state.Second.Step], job);
        }

        return verdict;
    }

    /// <summary>Whether a train worker that lists jobs finds one of the run's.</summary>
    /// <returns>The attempt that it was made for: 0 for none, 1, 2.</returns>
    public static int Find(in PipelineState state, int job)
    {
        var attempts = Attempts([state.First.Step, state.Second.Step]);
        return job == 0 ? 0 : JobMatch.Find(Jobs(job), Environment, Run, attempts) switch
        {
            JobMatch.Found found => found.Intended.Number,
            JobMatch.None => 0,
            var other => throw new InvalidOperationException($"the model has no {other}"),
        };
    }

    /// <summary>Whether a refusal fails the run, instead of making it wait.</summary>
    public bool Fails(Call call, int healable, int other, bool isOverdue)
    {
        var key = (call, healable, other, isOverdue);
        if (!_refusals.TryGetValue(key, out var fails))
        {
            TuningAnswer answer = call switch
            {
                Call.NotSent => new TuningAnswer.NotSent("no name"),
                Call.RefusedForQuota => new TuningAnswer.Refused(StatusCode.ResourceExhausted, "quota"),
                Call.RefusedForNow => new TuningAnswer.Refused(StatusCode.PermissionDenied, "denied"),
                Call.RefusedForGood => new TuningAnswer.Refused(StatusCode.InvalidArgument, "wrong"),
                _ => throw new ArgumentOutOfRangeException(nameof(call), call, "no refusal"),
            };
            string?[] earlier =
            [
                .. Enumerable.Repeat(nameof(StatusCode.PermissionDenied), healable),
                .. Enumerable.Repeat(nameof(StatusCode.ResourceExhausted), other),
            ];
            _refusals[key] = fails =
                RefusalRule.Decide(answer, earlier, bounds.MaxRefusals, isOverdue, jitter: 1) is RefusalDecision.Fail;
        }

        return fails;
    }

    /// <summary>Whether the next attempt's dataset object is another one than the first attempt's.</summary>
    public bool HasNewFile(AttemptStep first, bool isLastRejected)
    {
        if (!_files.TryGetValue((first, isLastRejected), out var isNew))
        {
            List<TuningAttempt> attempts = first == AttemptStep.None ? [] : [Attempt(1, first, Listing.None)];
            if (isLastRejected)
            {
                attempts.Add(Attempt(attempts.Count + 1, AttemptStep.None, Listing.None));
            }

            var files = attempts.Select(attempt => attempt.DatasetUri).ToList();
            var next = "gs://bucket/" + TuningRequest.AttemptFile("run/", attempts);
            _files[(first, isLastRejected)] = isNew = first != AttemptStep.None && next != files[0];
        }

        return isNew;
    }

    private static Verdict Settle(Listing listing, AttemptStep[] steps, int job)
    {
        var attempts = Attempts(steps);
        var number = (listing & Listing.OfSecond) != 0 ? 2 : 1;
        var asked = Attempt(number, AttemptStep.Unknown, listing);
        var match = JobMatch.Find(Jobs(job), Environment, Run, attempts);
        var hasAbsent = attempts.Any(other => other.State == AttemptState.Absent);
        return Reconciliation.Decide(asked, match, hasAbsent) switch
        {
            Reconciliation.Adopt adopt => adopt.Intended.Number == 1 ? Verdict.AdoptJobOfFirst : Verdict.AdoptJobOfSecond,
            Reconciliation.LookAgain => Verdict.LookAgain,
            Reconciliation.BurnDataset => Verdict.Burn,
            Reconciliation.ConcludeAbsent => Verdict.ConcludeAbsent,
            Reconciliation.AskOperator => Verdict.AskOperator,
            var other => throw new InvalidOperationException($"the model does not know {other}"),
        };
    }

    private static List<TuningAttempt> Attempts(AttemptStep[] steps) =>
    [
        .. steps.Select((step, index) => (step, index)).Where(each => each.step != AttemptStep.None)
            .Select(each => Attempt(each.index + 1, each.step, Listing.None)),
    ];

    private static List<TuningJob> Jobs(int attempt) => attempt == 0 ? [] :
    [
        new TuningJob
        {
            Name = $"projects/p/locations/l/tuningJobs/{attempt}",
            State = TuningJobState.Working,
            StateText = "JOB_STATE_RUNNING",
            BaseModel = "base",
            TrainingDatasetUri = FileOf(attempt),
            CreatedAt = DateTimeOffset.UnixEpoch,
            Labels = new Dictionary<string, string>
            {
                [TuningLabels.App] = TuningLabels.AppValue,
                [TuningLabels.Environment] = Environment,
                [TuningLabels.Run] = TuningRequest.RunLabel(Run),
                [TuningLabels.Attempt] = attempt.ToString(CultureInfo.InvariantCulture),
            },
        },
    ];

    private static TuningAttempt Attempt(int number, AttemptStep step, Listing listing) => new()
    {
        RunId = Run,
        OrganizationId = Guid.Empty,
        Number = number,
        State = NameOf(step),
        VertexParent = "projects/p/locations/l",
        RunLabel = TuningRequest.RunLabel(Run),
        DatasetUri = FileOf(number),
        DatasetGeneration = 1,
        BaseModel = "base",
        DatasetDeletedAt = (listing & Listing.WasDeleted) != 0 ? DateTimeOffset.UnixEpoch : null,
        ListChecks = (listing & Listing.WasCheckedBefore) != 0 ? 1 : 0,
        Age = TimeSpan.Zero,
        IsQuiet = (listing & Listing.WasQuiet) != 0,
        IsBurned = (listing & Listing.WasBurned) != 0,
    };

    private static string FileOf(int attempt) => $"gs://bucket/run/attempts/{attempt}/train.jsonl";

    private static string NameOf(AttemptStep step) => step switch
    {
        AttemptStep.None => AttemptState.Rejected,
        AttemptStep.Sending => AttemptState.Sending,
        AttemptStep.Unknown => AttemptState.Unknown,
        AttemptStep.Absent => AttemptState.Absent,
        AttemptStep.Created => AttemptState.Created,
        AttemptStep.Closed => AttemptState.Closed,
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "no state of an attempt"),
    };
}
