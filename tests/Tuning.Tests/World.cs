using System.Text.Json;
using FeedbackLoop.Datasets;
using FeedbackLoop.Evaluation;
using FeedbackLoop.Extraction;
using FeedbackLoop.GoogleCloud;
using FeedbackLoop.Lineage.Forgetting;
using FeedbackLoop.Local.VertexAi;
using FeedbackLoop.Platform;
using FeedbackLoop.PollTuning;
using FeedbackLoop.Registry;
using FeedbackLoop.Runs;
using FeedbackLoop.Spending;
using FeedbackLoop.Statistics;
using FeedbackLoop.Testing;
using FeedbackLoop.Train;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace FeedbackLoop.Tuning.Tests;

/// <summary>A database, a Vertex AI, a bucket and the steps between them, for one test.</summary>
internal sealed class World : IAsyncDisposable
{
    public const string Line =
        """
        {"systemInstruction":{"role":"system","parts":[{"text":"Extract."}]},"contents":[{"role":"user","parts":[{"text":"Ada knows Bob."}]},{"role":"model","parts":[{"text":"{\"entities\":[],\"relationships\":[]}"}]}]}

        """;

    private readonly TestDatabase _database;
    private readonly ObjectServer _objects;
    private readonly VertexChannels _channels;
    private readonly IamCredentialsClient _iam;

    private World(TestDatabase database, ObjectServer objects, VertexAiServer vertex, MemoryDatasetStore store)
    {
        (_database, _objects, Vertex, Store) = (database, objects, vertex, store);
        Cloud = Options.Create(new GoogleCloudOptions
        {
            ProjectId = "demo",
            Location = "us-central1",
            Bucket = "datasets",
            Environment = "test",
            TuningServiceAccount = "tuner@demo.iam.gserviceaccount.com",
            VertexAddress = vertex.Address,
            IamCredentialsAddress = vertex.IamAddress,
        });
        var access = new GoogleAccess();
        _channels = new VertexChannels(Cloud, access);
        _iam = new IamCredentialsClient(Cloud, access);
        Service = new VertexTuningService(Cloud, _channels, _iam, TimeProvider.System)
        {
            CreateTimeout = Patience.Limit,
            ReadTimeout = Patience.Limit,
        };
        Model = new VertexExtractionModel(Cloud, Options.Create(Catalogues.Usual), _channels, TimeProvider.System);
        Outbox = new OutboxRelay(database.Database, Published, Failpoints, TimeProvider.System);
    }

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public TestDatabase Rows => _database;

    public DatabaseClock Clock => _database.Clock;

    public VertexAiServer Vertex { get; }

    public MemoryDatasetStore Store { get; }

    public IOptions<GoogleCloudOptions> Cloud { get; }

    public VertexChannels Channels => _channels;

    /// <summary>The real client, or what a test puts in its place.</summary>
    public ITuningService Service { get; set; }

    public RecordingPublisher Published { get; } = new();

    public Failpoints Failpoints { get; } = new();

    public OutboxRelay Outbox { get; set; }

    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>The real client, or what a test puts in its place.</summary>
    public IExtractionModel Model { get; set; }

    public EvaluationOptions Evaluation { get; set; } = new();

    public TuningOptions Settings { get; set; } = new() { PollDelays = [TimeSpan.FromMinutes(1)] };

    public BaseModelCatalogue Catalogue { get; set; } = Catalogues.Usual;

    public decimal? AlarmUsdPerDay { get; set; }

    public int BatchSize { get; set; } = new SweepOptions().BatchSize;

    public SpendingOptions Spending { get; set; } = new();

    public SpendingTerms Terms => new(Spending, Catalogue);

    public RecordingLogger<DuplicateSearch> DuplicateLog { get; } = new();

    public RecordingLogger<SweepStep> SweepLog { get; } = new();

    public RecordingLogger<TuningReconciler> ReconcilerLog { get; } = new();

    /// <param name="running">How long a tuning job runs.</param>
    public static async Task<World> StartAsync(
        PostgresFixture postgres, TimeProvider? vertexTime = null, TimeSpan running = default)
    {
        var store = new MemoryDatasetStore();
        var objects = await ObjectServer.StartAsync(store, Stop);
        var vertex = await VertexAiServer.StartAsync(
            new VertexAiOptions
            {
                StorageAddress = objects.Address,
                RequireShortLivedToken = true,
                PendingDuration = TimeSpan.Zero,
                RunningDuration = running,
                Time = vertexTime ?? TimeProvider.System,
            },
            Stop);
        return new World(await postgres.CreateDatabaseAsync(Stop), objects, vertex, store);
    }

    public TrainStep Train() => new(
        Rows.Database, Store, Service,
        new JobLookup(Service, new JobListReader(Service, Time), Options.Create(Settings)),
        new TuningCall(
            Rows.Database, Service, Failpoints, Time, new Random(7), Options.Create(Settings), Terms,
            NullLogger<TuningCall>.Instance),
        Outbox, Failpoints, Time, Options.Create(Settings), Options.Create(Catalogue),
        NullLogger<TrainStep>.Instance);

    public PollTuningStep Poll() => new(
        Rows.Database, Service,
        new HeldOutEvaluation(
            Rows.Database, Model, Store, Failpoints, Time, Options.Create(Evaluation), Options.Create(Catalogue),
            Options.Create(Settings), Terms, NullLogger<HeldOutEvaluation>.Instance),
        new ModelRegistration(Options.Create(Catalogue), Time), Outbox, Failpoints, Options.Create(Settings), NullLogger<PollTuningStep>.Instance);

    public SweepStep Sweep(TimeSpan patience = default)
    {
        var tuning = Options.Create(Settings);
        var sweep = Options.Create(new SweepOptions
        {
            Patience = patience,
            AlarmUsdPerDay = AlarmUsdPerDay,
            BatchSize = BatchSize,
        });
        var reconciler = new TuningReconciler(Rows.Database, Store, Service, Time, tuning, ReconcilerLog);
        var duplicates = new DuplicateSearch(Rows.Database, Service, Time, DuplicateLog);
        return new SweepStep(
            Rows.Database, Outbox, reconciler,
            new JobSweep(
                Rows.Database, Service, new JobListReader(Service, Time), reconciler, duplicates, tuning, sweep,
                NullLogger<JobSweep>.Instance),
            new RunSweep(Rows.Database, Poll(), TimeProvider.System, sweep, NullLogger<RunSweep>.Instance),
            new ExtractionSweep(Rows.Database, Published, Terms, Time, sweep),
            new StatisticsSweep(
                Rows.Database, new StatisticsFold(Rows.Database, CountingRules.Default), Time, sweep, NullLogger<StatisticsSweep>.Instance),
            Leftovers(),
            new DocumentSweep(
                Rows.Database, new DocumentForgetting(Rows.Database, Store, Failpoints, Time), Time, sweep,
                NullLogger<DocumentSweep>.Instance),
            Terms, Time, sweep, SweepLog);
    }

    public LeftoverSweep Leftovers() => new(
        Rows.Database, Store, Options.Create(new SweepOptions()), NullLogger<LeftoverSweep>.Instance);

    public Task<StepOutcome> TrainAsync(RunId run) => Train().RunAsync(new DatasetExported(run), Stop);

    /// <summary>One delivery.</summary>
    public Task<StepOutcome> PollOnceAsync(RunId run) => Poll().RunAsync(new TuningStarted(run), Stop);

    /// <summary>A delivery, and those that it asks for at once: an evaluation has one of its own.</summary>
    /// <returns>Of the last one.</returns>
    public async Task<StepOutcome> PollAsync(RunId run)
    {
        while (true)
        {
            var before = Published.Messages.Count;
            var outcome = await PollOnceAsync(run);
            if (!Published.Messages.Skip(before).Any(sent => sent.Topic == Topics.TuningStarted))
            {
                return outcome;
            }
        }
    }

    public Task<StepOutcome> SweepAsync(TimeSpan patience = default) => Sweep(patience).RunAsync(new PollTick(), Stop);

    /// <summary>A sweep, and the looks that it asks for by message.</summary>
    public async Task SweepAndDeliverAsync(TimeSpan patience = default)
    {
        var before = Published.Messages.Count;
        await SweepAsync(patience);
        foreach (var (_, payload) in Published.Messages.Skip(before).Where(sent => sent.Topic == Topics.TuningStarted).ToList())
        {
            var message = JsonSerializer.Deserialize(payload, MessageJson.Default.TuningStarted);
            await PollAsync(message!.RunId); // it was written by this code
        }
    }

    public async Task<Scope> AddScopeAsync(bool isProject = false)
    {
        var organization = await Rows.AddOrganizationAsync(Stop);
        return new Scope(organization, isProject ? await Rows.AddProjectAsync(organization, Stop) : null);
    }

    /// <summary>A run whose files are in the bucket.</summary>
    public async Task<RunId> AddExportedRunAsync(
        Scope scope, TuningParameters? tuning = null, Func<Dataset, Dataset>? change = null,
        params HeldOutExample[] heldOut)
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        var parameters = RunParameters.Default with { Tuning = tuning ?? new TuningParameters() };
        var requested = await db.RequestRunAsync(
            new RunRequest(scope, RunPurpose.Training, RunTrigger.Manual, "tester", parameters, Key: null),
            TimeProvider.System.GetUtcNow(), Stop);
        var id = Assert.IsType<RunRequestOutcome.Accepted>(requested).RunId;
        var claim = await db.ClaimRunAsync(
            id, [RunState.Requested], RunState.Exporting, TimeSpan.FromMinutes(2), TimeSpan.FromHours(1), Stop);
        var folder = scope.DatasetFolder(claim!.Version, claim.Epoch);
        var train = Store.Put($"{folder}train.jsonl", string.Concat(Enumerable.Repeat(Line, 3)));
        var dataset = new Dataset(
            Guid.CreateVersion7(), scope.OrganizationId, scope.ProjectId, id, Store.UriOf(folder),
            new string('a', 64), train.Uri, train.Generation, train.Sha256, train.Bytes, 3, ValidationUri: null,
            ValidationGeneration: null, ValidationSha256: null, ValidationBytes: null, 0, TestUri: null, TestGeneration: null,
            TestSha256: null, TestBytes: null, 0, 300);
        if (heldOut.Length > 0)
        {
            var test = Store.Put($"{folder}test.jsonl", string.Concat(heldOut.Select(each => each.Line)));
            dataset = dataset with
            {
                TestUri = test.Uri,
                TestGeneration = test.Generation,
                TestSha256 = test.Sha256,
                TestBytes = test.Bytes,
                TestExamples = heldOut.Length,
            };
        }

        dataset = change?.Invoke(dataset) ?? dataset;
        await using var tx = await db.BeginTransactionAsync(Stop);
        await db.InsertOriginsAsync(
            dataset.Id, scope.OrganizationId, [.. heldOut.Select(each => each.Origin)], Stop);
        await db.InsertDatasetAsync(
            dataset, seed: 1, TimeProvider.System.GetUtcNow(), "{}", TimeProvider.System.GetUtcNow(), Stop);
        await tx.CommitAsync(Stop);
        Assert.True(await db.MarkExportedAsync(claim, dataset.Id, 1, "{}", TimeSpan.FromHours(24), Stop));
        return id;
    }

    /// <summary>A run with a ready model, through the real steps; by hand where another one is in use.</summary>
    public async Task<RunId> AddReadyModelAsync(Scope scope)
    {
        var run = await AddExportedRunAsync(scope);
        await TrainAsync(run);
        await FinishJobAsync(run);
        await PollAsync(run);
        Assert.Equal(RunState.Succeeded, (await FindAsync(run)).State);
        await PromoteAsync(run, "by hand");
        return run;
    }

    public async Task<PromotionOutcome> PromoteAsync(RunId run, string reason)
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        return await db.PromoteModelAsync(run, "tester", reason, TimeProvider.System.GetUtcNow(), Stop);
    }

    /// <summary>Waits for the end of the run's recorded job at Vertex.</summary>
    public async Task<TuningJob> FinishJobAsync(RunId run)
    {
        var name = (await AttemptsAsync(run)).Single(attempt => attempt.TuningJob is not null).TuningJob!;
        await Vertex.WaitForEndAsync(name, Stop);
        return (await Service.GetAsync(name, Stop))!;
    }

    public async Task<Run> FindAsync(RunId run)
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        return await db.FindRunAsync(run, Stop) ?? throw new InvalidOperationException($"run {run} is gone");
    }

    public async Task<Dataset> FindDatasetAsync(RunId run)
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        var id = (await FindAsync(run)).DatasetId ?? throw new InvalidOperationException($"run {run} has no dataset");
        return await db.FindDatasetAsync(id, Stop) ?? throw new InvalidOperationException($"dataset {id} is gone");
    }

    public async Task<IReadOnlyList<TuningAttempt>> AttemptsAsync(RunId run)
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        return await db.ListAttemptsAsync(run, Stop);
    }

    public async Task<FineTunedModel?> FindModelAsync(RunId run)
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        return await db.FindModelAsync(run, Stop);
    }

    public async Task<bool> CancelAsync(RunId run, string reason = "not needed")
    {
        await using var db = await Rows.Database.OpenConnectionAsync(Stop);
        return await db.RequestCancelAsync(run, "tester", reason, TimeProvider.System.GetUtcNow(), Stop);
    }

    public int JobsOf(RunId run) => Vertex.JobsWith(TuningLabels.Run, TuningRequest.RunLabel(run));

    public int CallsFor(RunId run) => Vertex.CreateCalls(TuningLabels.Run, TuningRequest.RunLabel(run));

    /// <summary>Starts a step that dies at a failpoint: it neither goes on nor cleans up.</summary>
    public async Task DieAtAsync(string failpoint, Func<Task> act)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Failpoints.Handler = name =>
        {
            if (name != failpoint)
            {
                return Task.CompletedTask;
            }

            reached.TrySetResult();
            return Task.Delay(Timeout.Infinite, CancellationToken.None);
        };
        var dying = act();
        await Task.WhenAny(reached.Task, dying).WithPatience();
        Assert.True(reached.Task.IsCompleted, $"{failpoint} was not reached");
        Failpoints.Handler = null;
    }

    /// <summary>Does something at a failpoint, once, and lets the step go on.</summary>
    public void At(string failpoint, Func<Task> act)
    {
        var armed = 1;
        Failpoints.Handler = name =>
            name == failpoint && Interlocked.Exchange(ref armed, 0) == 1 ? act() : Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _channels.Dispose();
        _iam.Dispose();
        await Vertex.DisposeAsync();
        await _objects.DisposeAsync();
        await _database.DisposeAsync();
    }
}
