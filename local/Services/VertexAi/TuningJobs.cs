using System.Globalization;
using FeedbackLoop.Local.Hosting;
using Google.Cloud.AIPlatform.V1;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace FeedbackLoop.Local.VertexAi;

/// <summary>All tuning jobs, and the calls that make, show and stop them.</summary>
internal sealed class TuningJobs : IAsyncDisposable
{
    private readonly Lock _lock = new();

    // A job asks for numbers under its own lock, and the list is read the other way round: one lock for both would be a deadlock.
    private readonly Lock _ids = new();
    private readonly List<JobEntry> _entries = [];
    private readonly List<Task> _working = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly VertexAiOptions _options;
    private readonly VertexAiFaults _faults;
    private readonly VertexDirectory _directory;
    private readonly ModelRegistry _models;
    private readonly DatasetFile _datasets;
    private readonly TuningWork _work;
    private long _lastId;

    public TuningJobs(
        VertexAiOptions options, VertexAiFaults faults, VertexDirectory directory, ModelRegistry models)
    {
        (_options, _faults, _directory, _models) = (options, faults, directory, models);
        _datasets = new DatasetFile(options.StorageAddress);
        _work = new TuningWork(options, _datasets, models, NewId);
        foreach (var job in directory.LoadJobs())
        {
            Restore(job);
        }
    }

    public IReadOnlyList<TuningJob> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _entries.Select(entry => entry.Read())];
            }
        }
    }

    public async Task<TuningJob> CreateAsync(CreateTuningJobRequest request, CancellationToken cancellationToken)
    {
        var (project, location) = TuningJobRules.Check(request, _options);
        var wish = request.TuningJob;
        var parent = wish.PreTunedModel is { } source ? FindParent(source) : null;
        await CheckDatasetAsync("training", wish.SupervisedTuningSpec.TrainingDatasetUri, cancellationToken);
        await CheckDatasetAsync("validation", wish.SupervisedTuningSpec.ValidationDatasetUri, cancellationToken);

        lock (_lock)
        {
            if (_faults.MaxConcurrentJobs <= _entries.Count(entry => !JobEntry.IsFinal(entry.Read().State)))
            {
                throw VertexErrors.QuotaExceeded();
            }

            var id = NewId();
            var now = Timestamp.FromDateTimeOffset(_options.Time.GetUtcNow());
            var job = new TuningJob
            {
                Name = $"projects/{ResourceNames.ProjectNumber(project)}/locations/{location}/tuningJobs/{id}",
                TunedModelDisplayName =
                    wish.TunedModelDisplayName.Length > 0 ? wish.TunedModelDisplayName : $"tuned-model-{id}",
                Description = wish.Description,
                SupervisedTuningSpec = wish.SupervisedTuningSpec.Clone(),
                ServiceAccount = wish.ServiceAccount,
                State = JobState.Pending,
                CreateTime = now,
                UpdateTime = now,
            };
            job.Labels.Add(wish.Labels);
            if (parent is null)
            {
                job.BaseModel = wish.BaseModel;
            }
            else
            {
                job.PreTunedModel = wish.PreTunedModel.Clone();
                job.PreTunedModel.BaseModel = parent.BaseModel;
            }

            _directory.Save(job);
            // Once started, the job goes on beside this call.
            var created = job.Clone();
            Start(new JobEntry(job, project, location, _faults.TakeEnd(), _directory.Save));
            return created;
        }
    }

    public TuningJob Get(string name)
    {
        var entry = FindOpen(name, VertexMethod.GetTuningJob);
        return IsYounger(entry.CreatedAt, _faults.GetLag) ? throw VertexErrors.NoJob(name) : entry.Read();
    }

    /// <summary>In the order of <see cref="VertexAiFaults.ListOrder"/>.</summary>
    public (IReadOnlyList<TuningJob> Jobs, string NextToken) List(ListTuningJobsRequest request)
    {
        if (ResourceNames.Parent(request.Parent) is not var (project, location))
        {
            throw RpcErrors.InvalidArgument("parent", $"Invalid resource name: {request.Parent}");
        }

        if (request.Filter.Length > 0)
        {
            throw VertexErrors.NotHere("filter for tuning jobs: which fields it knows is not documented");
        }

        var prefix = $"projects/{ResourceNames.ProjectNumber(project)}/locations/{location}/tuningJobs/";
        JobEntry[] entries;
        lock (_lock)
        {
            entries = [.. _entries];
        }

        // Thousands of jobs are listed by hundreds of pages: only those of the page are read.
        var listed = InOrder(entries.Where(entry =>
            entry.Name.StartsWith(prefix, StringComparison.Ordinal) && !IsYounger(entry.CreatedAt, _faults.ListLag)));
        var size = request.PageSize <= 0 ? 100 : Math.Min(request.PageSize, 100);
        var begin = request.PageToken.Length == 0 ? 0 : FindPlace(listed, request.PageToken);
        var page = listed.Skip(begin).Take(size).Select(entry => entry.Read()).ToList();
        var end = begin + page.Count;
        return (page, end < listed.Length ? PageToken(listed[end - 1]) : "");
    }

    public void AddEnded(
        string parent, int count, DateTimeOffset newest, TimeSpan apart, Action<int, IDictionary<string, string>> label)
    {
        var (project, location) = ResourceNames.Parent(parent)
            ?? throw new ArgumentException($"'{parent}' is no parent of tuning jobs", nameof(parent));
        lock (_lock)
        {
            for (var number = 0; number < count; number++)
            {
                var time = newest - (apart * (count - 1 - number));
                var job = new TuningJob
                {
                    Name = $"projects/{ResourceNames.ProjectNumber(project)}/locations/{location}/tuningJobs/"
                        + $"{time.ToUnixTimeMilliseconds() * 1000}",
                    State = JobState.Failed,
                    CreateTime = Timestamp.FromDateTimeOffset(time),
                    UpdateTime = Timestamp.FromDateTimeOffset(time),
                    EndTime = Timestamp.FromDateTimeOffset(time),
                };
                label(number, job.Labels);
                Restore(job);
            }
        }
    }

    public void Cancel(string name)
    {
        var entry = FindOpen(name, VertexMethod.CancelTuningJob);
        var isCancelling = entry.Change(job =>
        {
            job.State = JobState.Cancelling;
            job.UpdateTime = Timestamp.FromDateTimeOffset(_options.Time.GetUtcNow());
            return true;
        });
        if (!isCancelling)
        {
            throw VertexErrors.NotCancellable(entry.Read());
        }

        if (!_faults.TakeLostCancel())
        {
            entry.Stop.Cancel();
        }
    }

    public Task<TuningJob> WaitForEndAsync(string name, CancellationToken cancellationToken) =>
        Find(name).Ended.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_working);
        _entries.ForEach(entry => entry.Dispose());
        _work.Dispose();
        _stopping.Dispose();
    }

    private JobEntry[] InOrder(IEnumerable<JobEntry> entries) => _faults.ListOrder switch
    {
        TuningJobOrder.NewestFirst => [.. entries.OrderByDescending(entry => entry.Id)],
        TuningJobOrder.OldestFirst => [.. entries.OrderBy(entry => entry.Id)],
        TuningJobOrder.Mixed => [.. entries.OrderBy(entry => entry.Id * 2_654_435_761 % 4_294_967_291)],
        var other => throw new InvalidOperationException($"unknown order {other}"),
    };

    private string PageToken(JobEntry last) => string.Create(
        CultureInfo.InvariantCulture, $"{last.Id}.{_options.Time.GetUtcNow().ToUnixTimeMilliseconds()}");

    private int FindPlace(JobEntry[] listed, string token)
    {
        var parts = token.Split('.');
        if (parts is not [var last, var made]
            || !long.TryParse(last, CultureInfo.InvariantCulture, out var id)
            || !long.TryParse(made, CultureInfo.InvariantCulture, out var time)
            || Array.FindIndex(listed, entry => entry.Id == id) is not (>= 0 and var place))
        {
            throw RpcErrors.InvalidArgument("page_token", "The page token is invalid.");
        }

        var age = _options.Time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(time);
        return age > _faults.PageTokenLife
            ? throw RpcErrors.InvalidArgument("page_token", "The page token has expired.")
            : place + 1;
    }

    private bool IsYounger(DateTimeOffset created, TimeSpan age) => _options.Time.GetUtcNow() - created < age;

    private JobEntry FindOpen(string name, VertexMethod method)
    {
        var entry = Find(name);
        return _faults.FindClosed(entry.Name, method) is { } code
            ? throw VertexErrors.Scripted(code, $"{name} is closed to this account.")
            : entry;
    }

    private JobEntry Find(string name)
    {
        if (ResourceNames.Child(name, "tuningJobs") is not var (project, location, id))
        {
            throw RpcErrors.InvalidArgument("name", $"Invalid resource name: {name}");
        }

        var full = $"projects/{ResourceNames.ProjectNumber(project)}/locations/{location}/tuningJobs/{id}";
        lock (_lock)
        {
            return _entries.Find(each => each.Name == full) ?? throw VertexErrors.NoJob(name);
        }
    }

    private TunedVersion FindParent(PreTunedModel source)
    {
        var parent = _models.FindModel(source.TunedModelName)
            ?? throw VertexErrors.NotFound($"The model {source.TunedModelName} is not found.", source.TunedModelName);
        return source.CheckpointId.Length == 0
            || parent.Resource.Checkpoints.Any(each => each.CheckpointId == source.CheckpointId)
                ? parent
                : throw RpcErrors.InvalidArgument(
                    "tuning_job.pre_tuned_model.checkpoint_id",
                    $"The model has no checkpoint {source.CheckpointId}.");
    }

    private async Task CheckDatasetAsync(string kind, string uri, CancellationToken cancellationToken)
    {
        try
        {
            if (uri.Length == 0 || (TuningJobRules.Dataset(uri) is var (bucket, name)
                && await _datasets.ExistsAsync(bucket, name, cancellationToken)))
            {
                return;
            }
        }
        catch (HttpRequestException e)
        {
            throw VertexErrors.Scripted(StatusCode.Internal, $"Cloud Storage did not answer: {e.Message}");
        }

        throw TuningJobRules.NotJsonLines(kind);
    }

    private void Start(JobEntry entry)
    {
        _entries.Add(entry);
        _working.Add(Task.Run(() => _work.RunAsync(entry, _stopping.Token), CancellationToken.None));
    }

    private void Restore(TuningJob job)
    {
        var (project, location, id) = ResourceNames.Child(job.Name, "tuningJobs")!.Value;
        _lastId = Math.Max(_lastId, long.Parse(id, CultureInfo.InvariantCulture));
        var entry = new JobEntry(job, project, location, null, _directory.Save);
        if (job.State == JobState.Cancelling)
        {
            entry.Stop.Cancel();
        }

        if (!JobEntry.IsFinal(job.State))
        {
            Start(entry);
            return;
        }

        entry.SettleIfFinal();
        _entries.Add(entry);
        if (job.TunedModel is not null)
        {
            var baseModel = job.PreTunedModel is { BaseModel: var inherited } ? inherited : job.BaseModel;
            _models.Add(TunedVersion.Of(job, baseModel), extractor: null);
        }
    }

    /// <summary>Numbers that grow with time, also over a restart.</summary>
    private string NewId()
    {
        var now = _options.Time.GetUtcNow().ToUnixTimeMilliseconds() * 1000;
        lock (_ids)
        {
            _lastId = Math.Max(_lastId + 1, now);
            return _lastId.ToString(CultureInfo.InvariantCulture);
        }
    }
}
