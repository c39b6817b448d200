using System.Globalization;
using FeedbackLoop.Datasets;
using FeedbackLoop.Testing;
using FeedbackLoop.Tuning;
using Google.Cloud.AIPlatform.V1;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using OurJob = FeedbackLoop.Tuning.TuningJob;

namespace FeedbackLoop.Simulation.Tests;

/// <summary>
/// Vertex AI's tuning jobs in memory, on the time of the play: a call may land and stay without an answer, land later, or not
/// at all, and lists lag. A server could not be told when a call lands.
/// </summary>
internal sealed class SimulatedVertex(Random random, FakeTimeProvider time, MemoryDatasetStore store) : ITuningService
{
    private const int PageSize = 2;

    private static readonly TimeSpan TokenLife = TimeSpan.FromSeconds(300);
    private readonly List<Job> _jobs = [];
    private readonly List<(CreateTuningJobRequest Request, CreationToken Token)> _late = [];

    public TuningTarget Target { get; } = new("projects/demo/locations/us-central1", "test");

    /// <summary>From now on everything answers at once and well, but for <see cref="PoisonedRun"/>.</summary>
    public bool IsCalm { get; set; }

    /// <summary>The label of the run whose job nobody may read, for ever.</summary>
    public string? PoisonedRun { get; set; }

    /// <summary>Whether calls are under way that nobody waits for any more.</summary>
    public bool HasLateCalls => _late.Count > 0;

    /// <summary>By run, jobs that cost money: those that found their data.</summary>
    public IEnumerable<(string Run, int Count)> Billable => _jobs
        .Where(job => job.IsBillable)
        .CountBy(job => job.Label(TuningLabels.Run))
        .Select(each => (each.Key, each.Value));

    /// <summary>What comes after its sender has given up; a token that has run out is refused.</summary>
    public void LandLateCall()
    {
        var (request, token) = _late[0];
        _late.RemoveAt(0);
        if (time.GetUtcNow() < token.ExpiresAt)
        {
            Land(request);
        }
    }

    public async Task<CreationToken> MintTokenAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        return new("token", time.GetUtcNow() + TokenLife);
    }

    public async Task<TuningAnswer> CreateAsync(CreateTuningJobRequest request, CreationToken token)
    {
        await Task.Yield();
        var answer = Answer(request, token);
        await Task.Yield();
        return answer;
    }

    public async Task<OurJob?> GetAsync(string name, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var job = _jobs.SingleOrDefault(each => each.Name == name);
        if (job?.Label(TuningLabels.Run) == PoisonedRun && job is not null)
        {
            throw Failed(StatusCode.PermissionDenied);
        }

        FailSometimes(0.05);
        return job is null || !job.IsVisible(time.GetUtcNow()) ? null : job.Describe(time.GetUtcNow());
    }

    /// <remarks>Oldest first, two jobs a page; the token is the place in the list.</remarks>
    public async Task<TuningJobPage> ListPageAsync(string parent, string pageToken, CancellationToken cancellationToken)
    {
        await Task.Yield();
        FailSometimes(0.05);
        if (!IsCalm && pageToken.Length > 0 && random.Next(20) == 0)
        {
            throw new PageTokenRefusedException("the token is too old", inner: null);
        }

        var place = pageToken.Length == 0 ? 0 : int.Parse(pageToken, CultureInfo.InvariantCulture);
        var jobs = _jobs.Skip(place).Take(PageSize)
            .Where(job => job.IsVisible(time.GetUtcNow()))
            .Select(job => job.Describe(time.GetUtcNow()));
        var next = place + PageSize;
        return new([.. jobs], next < _jobs.Count ? next.ToString(CultureInfo.InvariantCulture) : "");
    }

    public async Task<bool> CancelAsync(string name, CancellationToken cancellationToken)
    {
        await Task.Yield();
        FailSometimes(0.05);
        var job = _jobs.Single(each => each.Name == name);
        var isLive = job.Describe(time.GetUtcNow()).IsLive;
        job.CancelledAt ??= isLive ? time.GetUtcNow() : null;
        await Task.Yield();
        return isLive;
    }

    private TuningAnswer Answer(CreateTuningJobRequest request, CreationToken token)
    {
        if (time.GetUtcNow() >= token.ExpiresAt)
        {
            return new TuningAnswer.Refused(StatusCode.Unauthenticated, "the token has run out");
        }

        switch (IsCalm ? 100 : random.Next(100))
        {
            case < 8:
                Land(request);
                return new TuningAnswer.Unknown("DeadlineExceeded", "no answer");
            case < 16:
                _late.Add((request, token));
                return new TuningAnswer.Unknown("Unavailable", "no answer");
            case < 22:
                return new TuningAnswer.Unknown("Internal", "no answer");
            case < 27:
                return new TuningAnswer.Refused(StatusCode.ResourceExhausted, "quota");
            case < 31:
                return new TuningAnswer.NotSent("connection refused");
            default:
                return new TuningAnswer.Created(Land(request).Describe(time.GetUtcNow()));
        }
    }

    private Job Land(CreateTuningJobRequest request)
    {
        var now = time.GetUtcNow();
        var hasData = store.Find(DatasetUri.NameOf(request.TuningJob.SupervisedTuningSpec.TrainingDatasetUri)) is not null;
        var job = new Job(
            $"{Target.Parent}/tuningJobs/{_jobs.Count + 1}", request.TuningJob, now, hasData,
            Fails: !IsCalm && random.Next(10) == 0,
            Lag: IsCalm || random.Next(10) < 7 ? TimeSpan.Zero : TimeSpan.FromSeconds(random.Next(300)));
        _jobs.Add(job);
        return job;
    }

    private void FailSometimes(double share)
    {
        if (!IsCalm && random.NextDouble() < share)
        {
            throw Failed(StatusCode.Unavailable);
        }
    }

    private static RpcException Failed(StatusCode code) => new(new Status(code, "simulated"));

    private sealed record Job(
        string Name, Google.Cloud.AIPlatform.V1.TuningJob Request, DateTimeOffset CreatedAt, bool IsBillable, bool Fails,
        TimeSpan Lag)
    {
        private static readonly TimeSpan Takes = TimeSpan.FromMinutes(10);

        public DateTimeOffset? CancelledAt { get; set; }

        public bool IsVisible(DateTimeOffset now) => now >= CreatedAt + Lag;

        public string Label(string name) => Request.Labels[name];

        public OurJob Describe(DateTimeOffset now)
        {
            var state = !IsBillable ? TuningJobState.Failed
                : CancelledAt is not null ? TuningJobState.Cancelled
                : now < CreatedAt + Takes ? TuningJobState.Working
                : Fails ? TuningJobState.Failed
                : TuningJobState.Succeeded;
            return new OurJob
            {
                Name = Name,
                State = state,
                StateText = state.ToString(),
                Labels = new Dictionary<string, string>(Request.Labels),
                BaseModel = Request.BaseModel,
                PreTunedModel = Request.PreTunedModel?.TunedModelName,
                TrainingDatasetUri = Request.SupervisedTuningSpec.TrainingDatasetUri,
                CreatedAt = CreatedAt,
                Model = state == TuningJobState.Succeeded ? $"{Name}/model" : null,
                Endpoint = state == TuningJobState.Succeeded ? $"{Name}/endpoint" : null,
            };
        }
    }
}
